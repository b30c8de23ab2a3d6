SELECT count() AS compared_windows,
    {measures} * compared_windows AS compared_values,
    countIf(differs) AS differing_windows
FROM {paired}
