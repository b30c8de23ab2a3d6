-- Nothing before the last restart counts. Of each window: sums of logarithms and of their squares, and how many.
arrayMap((length, side_s, side_q, side_n) -> (
    step.k[1] - if(step.at - length < was.restart, was.restart_k[1], side_s),
    step.k[2] - if(step.at - length < was.restart, was.restart_k[2], side_q),
    step.n[1] - if(step.at - length < was.restart, was.restart_n[1], side_n)),
    {windows_ms:Array(Int64)}, step.window_s, step.window_q, step.window_n) AS sums,
-- The variance of the logarithms, and by how much that of the mean is off.
arrayMap(one -> (
    if(one.3 < 2, 0, (one.3 * one.2 - one.1 * one.1) / (one.3 * (one.3 - 1))) AS variance,
    if({below:UInt8}, -1, 1) * (one.1 / one.3 + {unit:Float64} * variance / 2 - {target:Int64})), sums) AS found,
arrayFirstIndex((one, all) -> all.3 >= greatest({min_samples:Int64}, 2) AND one.2 > 0 AND one.2 * one.2
    > {z_squared:Float64} * (one.1 / all.3 + pow({unit:Float64} * one.1, 2) / (2 * (all.3 - 1))), found, sums) AS place,
step.fresh_is_off AND step.fresh_from >= greatest(step.at - {windows_ms:Array(Int64)}[-1], was.restart) AS seen_off,
place > 0 AND seen_off AS seen_breach, step.n[1] = step.window_n[1] AS is_empty, step.n[1] != step.window_n[-1] AS has_come,
if(place = 0, 0, {windows_ms:Array(Int64)}[place]) AS window_ms,
sums[if(place = 0, -1, place)].3 AS counted,
if(place = 0, 0, toInt64(floor(counted * exp({unit:Float64} * sums[place].1 / counted + pow({unit:Float64}, 2) * found[place].1 / 2)))) AS successes
