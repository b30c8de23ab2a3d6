-- Changes of a rule of `type: burn_rate`, decided again from minutes. Before each step stand the sums up to it, up to the
-- begins of the long and of the short window of each pair, and of the shortest.
WITH
{counts},
looks AS (
    SELECT labels, at,
        arrayMap(side -> (sides[1].2 - side.2, sides[1].3 - side.3), sides) AS windows,
        -- Does a window burn: failures of so many are at least what is allowed times the factor?
        arrayMap((number, allowed) -> arrayAll(seen -> seen.2 > 0
                AND if({below:UInt8}, seen.2 - seen.1, seen.1) * allowed.2 >= seen.2 * allowed.1,
                [windows[2 * number], windows[2 * number + 1]]) AND windows[2 * number].2 >= {min_samples:Int64},
            arrayEnumerate({allowed:Array(Tuple(Int64, Int64))}), {allowed:Array(Tuple(Int64, Int64))}) AS burning,
        indexOf(burning, 1) AS place,
        place > 0 AS breaches, breaches AS is_off, arrayExists(seen -> seen.2 > 0, windows) AS may_begin,
        windows[-1].2 = 0 AS is_quiet,
        if(breaches, {backs_ms:Array(Int64)}[2 * place], 0) AS window_ms,
        if(breaches, windows[2 * place].1, 0) AS successes,
        windows[2 * if(breaches, place, length(burning))].2 AS counted
    FROM before
)
{machine}
