// The client of the JavaScript SDK, as its functions get it, against a host that is not the one it was written for.
//
// Reads the client binding, as the Functions host would hand it over, as JSON from its input; says `done` when everything came
// out as the SDK's users know it.
"use strict";

const assert = require("node:assert/strict");
const { readFileSync } = require("node:fs");
const df = require("durable-functions");

const { Completed, Failed, Running, Suspended, Terminated } = df.OrchestrationRuntimeStatus;

const binding = JSON.parse(readFileSync(0, "utf8"));
const input = df.input.durableClient();
const client = df.getClient({
    options: { extraInputs: [input] },
    extraInputs: { get: (asked) => (asked === input ? binding : undefined) },
});
// Of this way of calling the host, so that the two do not meet.
const way = binding.rpcBaseUrl ? "rpc" : "public";
const id = (name) => `${way}-${name}`;

// The host acts soon, not at once: asks until it has.
async function until(what, ask) {
    const deadline = Date.now() + 60_000;
    for (;;) {
        const answer = await ask();
        if (answer) {
            return answer;
        }
        assert.ok(Date.now() < deadline, `never: ${what}`);
        await new Promise((resolve) => setTimeout(resolve, 5));
    }
}

const reached = (instance, wanted) =>
    until(`${instance} is ${wanted}`, async () => {
        const status = await client.getStatus(instance);
        return status.runtimeStatus === wanted && status;
    });

const steps = {
    async "starts instances, and is told why it cannot"() {
        assert.match(await client.startNew("E1"), /^[0-9a-f]{32}$/);
        const named = await client.startNew("E1", { instanceId: id("named"), input: { a: [1, "ü"] } });
        assert.equal(named, id("named"));
        assert.deepEqual((await reached(named, Running)).input, { a: [1, "ü"] });
        await assert.rejects(client.startNew("E1", { instanceId: named }), /409.*status Running already exists/);
        await assert.rejects(client.startNew("Nope"), /400.*The function 'Nope' doesn't exist/);
        await assert.rejects(client.startNew("E1", { instanceId: "@no" }), /400.*must not start with @/);
        await client.startNew("EchoOrchestrator", { instanceId: id("versioned"), version: "1.0", input: 1 });
        assert.equal((await reached(id("versioned"), Completed)).output, 1);
    },

    async "reads what became of them"() {
        const one = await client.startNew("OneActivity", { instanceId: id("one"), input: "World" });
        const status = await reached(one, Completed);
        assert.equal(status.name, "OneActivity");
        assert.equal(status.output, "Hello, World!");
        assert.equal(status.customStatus, null);
        assert.ok(Math.abs(status.createdTime - Date.now()) < 3_600_000, status.createdTime);
        const bare = await client.getStatus(one, { showInput: false });
        // What is false is not sent by the local way.
        assert.equal(bare.input, binding.rpcBaseUrl ? "World" : null);
        await client.getStatus(one, { showHistory: true, showHistoryOutput: true });
        await assert.rejects(client.getStatus(id("unknown")), /HTTP 404/);
        const failed = await client.startNew("BoomOrchestrator", { instanceId: id("failed") });
        assert.match((await reached(failed, Failed)).output, /it broke/);
    },

    async "answers whoever asked with links that work"() {
        const asked = { url: `${new URL(binding.managementUrls.statusQueryGetUri).origin}/api/start` };
        const answer = client.createCheckStatusResponse(asked, id("one"));
        assert.equal(answer.status, 202);
        const followed = await fetch(answer.headers.get("location"));
        assert.equal(followed.status, 200);
        assert.equal((await followed.json()).output, "Hello, World!");
        const links = client.createHttpManagementPayload(id("named"));
        assert.equal((await fetch(links.statusQueryGetUri)).status, 202);
        const inTime = await client.waitForCompletionOrCreateCheckStatusResponse(asked, id("one"));
        assert.equal(inTime.status, 200);
        assert.equal(await inTime.json(), "Hello, World!");
        const wait = { timeoutInMilliseconds: 20, retryIntervalInMilliseconds: 10 };
        const late = await client.waitForCompletionOrCreateCheckStatusResponse(asked, id("named"), wait);
        assert.equal(late.status, 202);
        const broken = await client.waitForCompletionOrCreateCheckStatusResponse(asked, id("failed"));
        assert.equal(broken.status, 500);
    },

    async "raises events"() {
        await client.raiseEvent(id("named"), "go", { said: "so" });
        assert.deepEqual((await reached(id("named"), Completed)).output, { said: "so" });
        // Too late, and no error.
        await client.raiseEvent(id("named"), "go", 1);
        await assert.rejects(client.raiseEvent(id("unknown"), "go", 1), /No instance with ID/);
    },

    async "suspends, resumes, terminates"() {
        const one = await client.startNew("E1", { instanceId: id("halted") });
        await reached(one, Running);
        await client.suspend(one, "for now");
        await reached(one, Suspended);
        await client.resume(one, "enough");
        await reached(one, Running);
        await client.terminate(one, "no more of it");
        assert.equal((await reached(one, Terminated)).output, "no more of it");
        for (const operation of ["suspend", "resume", "terminate"]) {
            // Too late, and no error.
            await client[operation](one, "again");
            await assert.rejects(client[operation](id("unknown"), "x"), /No instance with ID/);
        }
    },

    async "rewinds what failed, and nothing else"() {
        const before = await client.getStatus(id("failed"));
        await client.rewind(id("failed"), "once more");
        await until("it failed again", async () => {
            const status = await client.getStatus(id("failed"));
            return status.runtimeStatus === Failed && status.lastUpdatedTime >= before.lastUpdatedTime;
        });
        await assert.rejects(client.rewind(id("one"), "x"));
        await assert.rejects(client.rewind(id("unknown"), "x"), /No instance with ID/);
    },

    async "lists page by page, all and by what they are"() {
        const from = new Date(Date.now() - 3_600_000);
        const many = Array.from({ length: 105 }, (_, number) => id(`many-${number}`));
        await Promise.all(many.map((instanceId) => client.startNew("EchoOrchestrator", { instanceId, input: 1 })));
        await Promise.all(many.map((instance) => reached(instance, Completed)));
        const all = (await client.getStatusAll()).map((status) => status.instanceId);
        assert.equal(new Set(all).size, all.length, "one of them is there twice");
        assert.deepEqual(many.filter((instance) => !all.includes(instance)), []);
        const failed = await client.getStatusBy({ createdTimeFrom: from, runtimeStatus: [Failed] });
        assert.ok(failed.some((status) => status.instanceId === id("failed")));
        assert.ok(failed.every((status) => status.runtimeStatus === Failed));
        const none = await client.getStatusBy({ createdTimeTo: from, runtimeStatus: [Completed, Failed] });
        assert.deepEqual(none, []);
    },

    async "purges one, and many"() {
        assert.equal((await client.purgeInstanceHistory(id("one"))).instancesDeleted, 1);
        assert.equal((await client.purgeInstanceHistory(id("one"))).instancesDeleted, 0);
        const hour = 3_600_000;
        const early = { createdTimeFrom: new Date(Date.now() - 2 * hour), createdTimeTo: new Date(Date.now() - hour) };
        assert.equal((await client.purgeInstanceHistoryBy(early)).instancesDeleted, 0);
        const late = { createdTimeFrom: early.createdTimeTo, runtimeStatus: [Completed, Terminated] };
        assert.ok((await client.purgeInstanceHistoryBy(late)).instancesDeleted >= 105);
        await client.getStatus(id("failed"));
        await assert.rejects(client.getStatus(id("many-1")), /HTTP 404/);
    },

    async "signals entities, and reads their state"() {
        const counter = new df.EntityId("Counter", id("k"));
        assert.equal((await client.readEntityState(counter)).entityExists, false);
        await client.signalEntity(counter, "add", 2);
        await client.signalEntity(counter, "add", 3);
        const state = await until("both came", async () => {
            const { entityExists, entityState } = await client.readEntityState(counter);
            return entityExists && entityState.value === 5 && entityState;
        });
        assert.deepEqual(state, { value: 5 });
        await client.signalEntity(counter, "delete");
        await until("it is gone", async () => !(await client.readEntityState(counter)).entityExists);
        await assert.rejects(client.signalEntity(new df.EntityId("nobody", "x"), "add", 1), /400/);
    },
};

(async () => {
    for (const [name, step] of Object.entries(steps)) {
        try {
            await step();
        } catch (error) {
            console.error(`${way}: ${name}: ${error.stack}`);
            process.exit(1);
        }
    }
    // Not said by a process that only ran out of work.
    console.log("done");
})();
