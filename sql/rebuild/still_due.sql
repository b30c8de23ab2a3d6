-- Rows that the stream has not written over since they were made: those that are put in place.
INSERT INTO {target} ({key}, {columns}, version{deleted})
SELECT {key}, {columns}, version{deleted} FROM {draft}
WHERE ({key}) NOT IN {overtaken}
