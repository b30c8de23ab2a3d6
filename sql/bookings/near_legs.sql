-- Legs that can be waiting, active, wrapping up or counted as recent: no others can. Versions are merged of the
-- contacts alone that have had such a leg, as merging all of a large table is dear; a small one is merged as it is.
SELECT * FROM legs FINAL
PREWHERE (SELECT count() FROM legs) < {few} OR contact_id IN (SELECT contact_id FROM legs WHERE {near})
WHERE is_deleted = 0 AND ({near})
