-- Contacts whose numbers may change by new events: those that the events are of, all others of their customers, and
-- call-backs for them. Of customers that a contact is taken from as well.
SELECT DISTINCT contact_id
FROM {both}
WHERE contact_id IN (SELECT contact_id FROM {added})
    OR callback_of IN (SELECT contact_id FROM {added})
    OR customer_key IN (
        SELECT assumeNotNull(customer_key) FROM {both}
        WHERE isNotNull(customer_key) AND contact_id IN (SELECT contact_id FROM {added})
    )
