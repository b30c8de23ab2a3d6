-- Contacts that call back, found without FINAL and then by key.
SELECT * FROM contacts FINAL
WHERE is_deleted = 0 AND isNotNull(callback_of)
    AND contact_id IN (SELECT contact_id FROM contacts WHERE isNotNull(callback_of))
