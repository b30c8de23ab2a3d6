-- Changes of a rule of `type: seasonal`, decided again from minutes: is what came in any window too little or too much
-- for the negative binomial distribution that earlier weeks predict (kpis/dips/seasonal.py has the definition)?
WITH
{counts},
lengths AS (
    SELECT labels, at, number, length FROM steps
    ARRAY JOIN arrayEnumerate({windows_ms:Array(Int64)}) AS number, {windows_ms:Array(Int64)} AS length
),
{weekly},
tested AS (
    SELECT seen, total, known_weeks,
        least(total + 1, 156) AS shape, shape * known_weeks AS part_a, total + 1 AS part_b,
        arraySum(j -> exp(lgamma(shape + j) - lgamma(j + 1) - lgamma(shape)
                + shape * log(part_a / (part_a + part_b)) + j * log(part_b / (part_a + part_b))),
            range(toUInt64(seen + {below:UInt8}))) AS tail,
        if({below:UInt8}, tail < {p_value:Float64}, tail > 1 - {p_value:Float64}) AS is_beyond
    FROM (SELECT DISTINCT seen, total, known_weeks FROM compared
        WHERE known_weeks >= {at_least:Int64} AND if({below:UInt8}, seen * known_weeks < total, seen * known_weeks > total))
),
looks AS (
    SELECT labels, at, arraySort(groupArray((number, length, known_weeks, seen, total, is_beyond))) AS every,
        arrayFirstIndex(one -> one.3 < {at_least:Int64}, every) AS unknown,
        arraySlice(every, 1, toInt64(if(unknown = 0, length(every) + 1, unknown)) - 1) AS windows,
        arrayFirstIndex(one -> one.6, windows) AS place,
        windows[if(place = 0, -1, place)] AS chosen,
        place > 0 AS breaches, breaches AS is_off, 1 AS may_begin, max(is_holiday) AS is_quiet,
        if(breaches, chosen.2, 0) AS window_ms, chosen.4 AS successes,
        if(breaches, intDiv(chosen.5, chosen.3), 0) AS counted
    FROM (
        SELECT compared.labels AS labels, compared.at AS at, compared.number AS number, compared.length AS length,
            compared.known_weeks AS known_weeks, compared.seen AS seen, compared.total AS total, compared.is_holiday AS is_holiday,
            tested.is_beyond AS is_beyond
        FROM compared LEFT JOIN tested
            ON compared.seen = tested.seen AND compared.total = tested.total AND compared.known_weeks = tested.known_weeks
    )
    GROUP BY labels, at
)
{machine}
