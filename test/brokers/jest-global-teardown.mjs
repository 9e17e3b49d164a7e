// Ends what jest-global-setup.mjs started.
export default async function teardown() {
  await globalThis.kafkaOfThisRun?.stop();
  await globalThis.postgresOfThisRun?.stop();
}
