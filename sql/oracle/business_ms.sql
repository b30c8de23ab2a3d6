-- How much of [{begin}, {end}) lies within the business hours of calendar number {calendar}; all of it for 0. Between two
-- shifts of the clock local time is UTC plus a constant. There whole weeks count by what a week holds, and days of their
-- own by what they change. Where there is no calendar the lists are empty, so nothing is computed.
if({calendar} = 0, {end} - {begin}, arraySum(t ->
    -- 1970-01-05 was a Monday
    arraySum(h -> (h.3 - h.2)
            * (intDiv(t.2 - 345600000, 604800000) - intDiv(t.1 - 345600000, 604800000))
        + least(greatest(modulo(t.2 - 345600000, 604800000) - h.1 * 86400000 - h.2, 0), h.3 - h.2)
        - least(greatest(modulo(t.1 - 345600000, 604800000) - h.1 * 86400000 - h.2, 0), h.3 - h.2),
        {calendar_hours:Array(Array(Tuple(Int64, Int64, Int64)))}[{calendar}])
    - arraySum(d -> arraySum(h -> greatest(
            least(t.2, d * 86400000 + h.3) - greatest(t.1, d * 86400000 + h.2), 0),
            arrayFilter(h -> h.1 = modulo(d + 3, 7),
                {calendar_hours:Array(Array(Tuple(Int64, Int64, Int64)))}[{calendar}])),
        {calendar_days:Array(Array(Int64))}[{calendar}])
    + arraySum(h -> greatest(
            least(t.2, h.1 * 86400000 + h.3) - greatest(t.1, h.1 * 86400000 + h.2), 0),
        {calendar_day_hours:Array(Array(Tuple(Int64, Int64, Int64)))}[{calendar}]),
    -- local begin and end of each stretch with one offset
    arrayMap(s -> (greatest({begin}, s.1) + s.3, least({end}, s.2) + s.3),
        arrayFilter(s -> s.1 < {end} AND s.2 > {begin},
            {calendar_shifts:Array(Array(Tuple(Int64, Int64, Int64)))}[{calendar}]))))
