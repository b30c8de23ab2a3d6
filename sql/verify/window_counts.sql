SELECT count() AS compared_windows,
    {measures} * compared_windows AS compared_values,
    countIf(stream_tally != oracle_tally) AS differing_windows,
    sum(arrayCount((s, o) -> s != o, stream_tally, oracle_tally)) AS differing_values
FROM {paired}
