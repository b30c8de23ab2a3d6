SELECT assumeNotNull(customer_key) AS customer, count() AS contact_count,
    min(started_at) AS first_started_at, max(started_at) AS last_started_at
FROM contacts FINAL WHERE is_deleted = 0 AND isNotNull(customer_key)
GROUP BY customer HAVING contact_count > {frequent}
