-- From looks to episodes: the standing of a label set step by step, and its changes (docs/guide/alerts.md). `looked` says
-- of a step, given what `was`: is it in breach, off target, empty, has anybody come at all; which window, and the counts in it.
SELECT labels, change.1 AS at, change.2 AS kind, change.3 AS opened_at, change.4 AS window_ms, change.5 AS successes, change.6 AS n
FROM (
    SELECT labels, arrayFold(
        (was, step) -> (
            multiIf((
                multiIf(
                    was.state = 2 AND is_quiet, if(was.silent + {step_ms:Int64} >= {expire_ms:Int64}, 'expired', ''),
                    was.state = 2, if(NOT is_off AND was.clear + {step_ms:Int64} >= {keep_ms:Int64}, 'resolved', ''),
                    is_quiet OR NOT breaches, '',
                    was.state = 0, if({for_ms:Int64} = 0, 'firing', ''),
                    was.breached + {step_ms:Int64} >= {for_ms:Int64}, 'firing', '') AS change,
                change IN ('resolved', 'expired') AS ends,
                -- Nobody there: unknown, fine or off, as the rule says.
                is_empty AND {no_data:String} = 'hold' AS is_quiet,
                if(is_empty AND NOT is_quiet, {no_data:String} = 'alert' AND (was.state != 0 OR has_come), seen_breach) AS breaches,
                if(is_empty AND NOT is_quiet, {no_data:String} = 'alert', seen_off) AS is_off,
                {looked}).1 = 'firing', 2,
                ends, 0, was.state = 2, 2, is_quiet, was.state, breaches, 1, 0)::Int64 AS state_,
            multiIf(ends, 0, was.state > 0 AND (was.state = 2 OR is_quiet OR breaches), was.since, breaches AND NOT is_quiet, step.at, 0)::Int64 AS since_,
            if(was.state = 1 AND change = '' AND (breaches OR is_quiet), was.breached + if(is_quiet, 0, {step_ms:Int64}), 0)::Int64,
            if(was.state = 2 AND NOT ends AND (is_quiet OR NOT is_off), was.clear + if(is_quiet, 0, {step_ms:Int64}), 0)::Int64,
            if(was.state = 2 AND NOT ends AND is_quiet, was.silent + {step_ms:Int64}, 0)::Int64,
            if(ends, step.at, was.restart)::Int64,
            if(ends, step.k, was.restart_k)::Array(Int64),
            if(ends, step.n, was.restart_n)::Array(Int64),
            if(change = '', was.changes, arrayPushBack(was.changes,
                (step.at, change, if(ends, was.since, since_), window_ms, successes, counted)
                ::Tuple(Int64, String, Int64, Int64, Int64, Int64)))
        )::Tuple(state Int64, since Int64, breached Int64, clear Int64, silent Int64, restart Int64, restart_k Array(Int64),
            restart_n Array(Int64), changes Array(Tuple(Int64, String, Int64, Int64, Int64, Int64))),
        steps_of,
        (0, 0, 0, 0, 0, 0, {nothing}, {nothing}, [])::Tuple(state Int64, since Int64, breached Int64, clear Int64, silent Int64,
            restart Int64, restart_k Array(Int64), restart_n Array(Int64),
            changes Array(Tuple(Int64, String, Int64, Int64, Int64, Int64)))).changes AS changes
    FROM ({steps})
)
ARRAY JOIN changes AS change
ORDER BY at, labels
