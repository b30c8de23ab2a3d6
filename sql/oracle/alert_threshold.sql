-- Changes of a rule of `type: threshold`, decided again from minutes: a value beyond a limit, over beyond `clear`. Before
-- each step stand the sums up to it, up to the begin of what is compared, and of the window.
WITH
{counts},
looks AS (
    SELECT labels, at,
        sides[1].2 - sides[2].2 AS successes, sides[1].3 - sides[2].3 AS counted, sides[1].3 - sides[3].3 AS lately,
        if({is_quotient:UInt8}, counted, 1) AS of_all,
        if({below:UInt8}, 1, -1) AS sign,
        sign * successes * {limit_den:Int64} < sign * of_all * {limit_num:Int64} AS breaches,
        breaches OR sign * successes * {clear_den:Int64} < sign * of_all * {clear_num:Int64} AS is_off,
        {is_quotient:UInt8} AND lately < {min_samples:Int64} AS is_quiet,
        lately != 0 AS may_begin,
        if(breaches, {backs_ms:Array(Int64)}[2], 0) AS window_ms
    FROM before
)
{machine}
