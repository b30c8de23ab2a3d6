-- How much of [{begin}, {end}) lies within the business hours of calendar number {calendar}; all of it for 0. Between two
-- shifts of the clock local time is UTC plus a constant. There whole weeks count by what a week holds, and days of their
-- own by what they change.
if({calendar} = 0, {end} - {begin}, arraySum(t ->
    -- 1970-01-05 was a Monday
    arraySum(h -> (h.4 - h.3)
            * (intDiv(t.2 - 345600000, 604800000) - intDiv(t.1 - 345600000, 604800000))
        + least(greatest(modulo(t.2 - 345600000, 604800000) - h.2 * 86400000 - h.3, 0), h.4 - h.3)
        - least(greatest(modulo(t.1 - 345600000, 604800000) - h.2 * 86400000 - h.3, 0), h.4 - h.3),
        arrayFilter(h -> h.1 = {calendar}, {calendar_hours:Array(Tuple(UInt16, Int64, Int64, Int64))}))
    - arraySum(d -> arraySum(h -> greatest(
            least(t.2, d.2 * 86400000 + h.4) - greatest(t.1, d.2 * 86400000 + h.3), 0),
            arrayFilter(h -> h.1 = {calendar} AND h.2 = modulo(d.2 + 3, 7),
                {calendar_hours:Array(Tuple(UInt16, Int64, Int64, Int64))})),
        arrayFilter(d -> d.1 = {calendar}, {calendar_days:Array(Tuple(UInt16, Int64))}))
    + arraySum(h -> greatest(
            least(t.2, h.2 * 86400000 + h.4) - greatest(t.1, h.2 * 86400000 + h.3), 0),
        arrayFilter(h -> h.1 = {calendar}, {calendar_day_hours:Array(Tuple(UInt16, Int64, Int64, Int64))})),
    -- local begin and end of each stretch with one offset
    arrayMap(s -> (greatest({begin}, s.2) + s.4, least({end}, s.3) + s.4),
        arrayFilter(s -> s.1 = {calendar} AND s.2 < {end} AND s.3 > {begin},
            {calendar_shifts:Array(Tuple(UInt16, Int64, Int64, Int64))}))))
