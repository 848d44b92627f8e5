// Runs the suite's tests with the suite's own client, and writes as JSON which
// tests there are and what came of each:
//
//	node driver.mjs ORIGIN PROXY RESULTS [ID]
//
// ORIGIN and PROXY are URLs. With an ID, that test runs alone and says all that
// it does.
//
// Three things are different from the suite's own runner, so that every run
// ends in the same way on a busy machine, too:
//
// The runner starts a hundred tests at once, and after their pauses of three
// seconds all of them wake at once. Some need an answer within a second of
// another. Here tests begin one after the other, at a small distance, and
// neither the proxy nor this client ever has a crowd.
//
// Tests that change something at the origin run last, each alone: a cache may
// forget more than it must when something changes (RFC 9111, 4.4), and what is
// just on its way for another test.
//
// What is no test goes to the origin directly: before each test the client
// tells it what to answer, and afterwards asks what it has seen.
import { writeFileSync } from 'fs'
import fetch from 'node-fetch'
import groups from 'http-cache-tests/tests/index.mjs'
import surrogate from 'http-cache-tests/tests/surrogate-control.mjs'
import * as config from 'http-cache-tests/client/config.mjs'
import { makeCacheTest, testResults } from 'http-cache-tests/client/test.mjs'

const distance = 20 // ms
const patience = 30000 // ms for one request
const [origin, proxy, results, id] = process.argv.slice(2)

// A timer may end a hair early, and three seconds must not be 2.9995.
const early = 20 // ms
const { setTimeout } = globalThis
globalThis.setTimeout = (call, ms, ...rest) => setTimeout(call, ms + early, ...rest)

config.setBaseUrl(proxy)
config.setFetch((url, init) => {
	const to = url.startsWith(proxy + '/test/') ? url : url.replace(proxy, origin)
	return fetch(to, { timeout: patience, ...init })
})

const told = []
const tests = []
for (const group of [...groups, surrogate]) {
	const own = group.tests.filter(test => !test.browser_only && (!id || test.id === id))
	tests.push(...own)
	told.push({
		id: group.id,
		name: group.name,
		tests: own.map(test => ({ id: test.id, kind: test.kind || 'required', needs: test.depends_on || [] })),
	})
}

const safe = ['GET', 'HEAD', 'OPTIONS', 'TRACE', undefined]
const changes = test => !test.requests.every(request => safe.includes(request.request_method))

const running = []
for (const test of tests) {
	test.dump = Boolean(id)
	if (changes(test)) continue
	running.push(makeCacheTest(test))
	await new Promise(resolve => setTimeout(resolve, distance))
}
await Promise.all(running)
for (const test of tests.filter(changes)) await makeCacheTest(test)

writeFileSync(results, JSON.stringify({ groups: told, results: testResults }))
process.exit() // although a connection may be open that a test has given up
