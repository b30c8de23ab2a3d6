step.breaches AND (was.state != 0 OR step.may_begin) AS breaches, step.is_off AS is_off, step.is_quiet AS is_quiet,
step.window_ms AS window_ms, step.successes AS successes, step.counted AS counted