-- Events of all contacts that have a say in what is booked in a range.
SELECT * FROM {events}
WHERE contact_id IN (
    SELECT contact_id FROM {events}
    WHERE ({near}) OR customer_key IN {customers} OR callback_of IN {contacts}
)
