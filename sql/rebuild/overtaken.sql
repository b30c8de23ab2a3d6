-- Keys of rows that the stream has written since a line was drawn.
SELECT {key} FROM {table} WHERE version > arrayElement({drawn:Array(UInt64)}, {partition} + 1)
