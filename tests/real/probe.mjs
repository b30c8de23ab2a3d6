// What a Node program does with @clickhouse/client, with its defaults: address, user and password are arguments.
import { createClient } from '@clickhouse/client'

const [url, username, password] = process.argv.slice(2)
const client = createClient({ url, username, password, database: 'ringback' })
const result = await client.query({
  query: 'SELECT number, toString(number) AS s FROM numbers(200000)', format: 'JSONEachRow',
})
let sum = 0
for (const row of await result.json()) sum += Number(row.number) + row.s.length
const found = await client.query({
  query: 'SELECT n FROM t WHERE s = {s: String}', query_params: { s: "it's" }, format: 'JSONEachRow',
})
let failed = ''
try { await (await client.query({ query: 'SELECT nope' })).text() } catch (error) { failed = error.message }
console.log('sum', sum, 'row', (await found.json())[0].n, 'error', failed.includes('nope'))
await client.close()
