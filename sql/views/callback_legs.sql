-- Legs that have to do with callbacks alone, found without FINAL (what one was once, it is at most) and then by key.
SELECT * FROM legs FINAL
WHERE is_deleted = 0
    AND contact_id IN (
        SELECT contact_id FROM contacts WHERE isNotNull(callback_of)
        UNION ALL
        SELECT contact_id FROM legs WHERE end_detail = 'callback'
    )
