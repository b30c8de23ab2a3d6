-- Contacts with the number of their legs that were abandoned in the IVR.
SELECT * FROM {contacts} AS contact
LEFT JOIN (
    SELECT contact_id, count() AS ivr_legs FROM {legs} WHERE ivr_abandoned GROUP BY contact_id
) AS ivr USING (contact_id)
