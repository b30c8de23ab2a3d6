-- When the last sign of life was told, by Kafka: one that was told long after its time is of a file or a simulation.
-- Of rows of before nobody knows; they count as told now, until the next one comes.
ALTER TABLE heartbeats ADD COLUMN IF NOT EXISTS told_at DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC');
