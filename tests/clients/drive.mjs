// Drives a running Hygie with two FHIR clients written by others. Arguments: the JSON that `hygie demo --json` printed.
// Exits 0 when every step did what a user of that client would expect; otherwise names the step.
import assert from 'node:assert/strict';
import { MedplumClient } from '@medplum/core';
import { Client } from 'fhir-kit-client';

const demo = JSON.parse(process.argv[2]);
const account = (role) => demo.accounts.find((a) => a.role === role);
const doctor = account('care');
const kit = new Client({ baseUrl: demo.fhir, bearerToken: doctor.token });
const medplum = new MedplumClient({
  baseUrl: `${demo.url}/`,
  fhirUrlPath: 'fhir',
  accessToken: doctor.token,
  cacheTime: 0,
});

async function step(what, action) {
  try {
    await action();
    console.log(`ok  ${what}`);
  } catch (error) {
    const answer = error.response?.data ?? error.outcome ?? '';
    console.error(`FAILED  ${what}: ${error.message} ${JSON.stringify(answer).slice(0, 600)}`);
    process.exit(1);
  }
}

const code = { coding: [{ system: 'http://loinc.org', code: '8867-4', display: 'Heart rate' }] };
const heartRate = (patient, value) => ({
  resourceType: 'Observation',
  status: 'final',
  category: [{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/observation-category', code: 'vital-signs' }] }],
  code,
  subject: { reference: `Patient/${patient}` },
  effectiveDateTime: '2026-01-15T09:30:00+01:00',
  valueQuantity: { value, unit: 'beats/minute', system: 'http://unitsofmeasure.org', code: '/min' },
});

let patient;
let created;

await step('fhir-kit-client: capability statement', async () => {
  const statement = await kit.capabilityStatement();
  assert.equal(statement.resourceType, 'CapabilityStatement');
  assert.equal(statement.fhirVersion, '4.0.1');
});
await step('fhir-kit-client: SMART endpoints', async () => {
  const endpoints = await kit.smartAuthMetadata();
  assert.ok(endpoints.tokenUrl, 'token endpoint');
});
await step('fhir-kit-client: search patients', async () => {
  const bundle = await kit.search({ resourceType: 'Patient', searchParams: { _count: 3, _sort: 'birthdate' } });
  assert.equal(bundle.type, 'searchset');
  patient = bundle.entry[0].resource.id;
  const next = await kit.nextPage({ bundle });
  assert.ok(next.entry.length > 0);
  assert.notEqual(next.entry[0].resource.id, patient);
});
await step('fhir-kit-client: create, read, vread, update, history', async () => {
  created = await kit.create({ resourceType: 'Observation', body: heartRate(patient, 61) });
  const read = await kit.read({ resourceType: 'Observation', id: created.id });
  assert.equal(read.valueQuantity.value, 61);
  read.valueQuantity.value = 62;
  const updated = await kit.update({
    resourceType: 'Observation', id: read.id, body: read,
    options: { headers: { 'If-Match': `W/"${read.meta.versionId}"` } },
  });
  assert.equal(updated.valueQuantity.value, 62);
  const first = await kit.vread({ resourceType: 'Observation', id: read.id, version: read.meta.versionId });
  assert.equal(first.valueQuantity.value, 61);
  const history = await kit.history({ resourceType: 'Observation', id: read.id });
  assert.equal(history.entry.length, 2);
});
await step('fhir-kit-client: JSON patch', async () => {
  const current = await kit.read({ resourceType: 'Observation', id: created.id });
  const patched = await kit.patch({
    resourceType: 'Observation', id: created.id,
    jsonPatch: [{ op: 'replace', path: '/valueQuantity/value', value: 63 }],
    options: { headers: { 'If-Match': `W/"${current.meta.versionId}"` } },
  });
  assert.equal(patched.valueQuantity.value, 63);
});
await step('fhir-kit-client: search in a compartment, then by code and sort', async () => {
  const inside = await kit.search({ resourceType: 'Observation', compartment: { resourceType: 'Patient', id: patient }, searchParams: { _count: 5 } });
  assert.ok(inside.entry.every((e) => e.resource.subject.reference === `Patient/${patient}`));
  const sorted = await kit.search({ resourceType: 'Observation', searchParams: { subject: `Patient/${patient}`, code: 'http://loinc.org|8867-4', _sort: '-date' } });
  assert.equal(sorted.entry[0].resource.id, created.id);
});
await step('fhir-kit-client: a stale version is refused', async () => {
  const current = await kit.read({ resourceType: 'Observation', id: created.id });
  await assert.rejects(
    kit.update({ resourceType: 'Observation', id: created.id, body: current, options: { headers: { 'If-Match': 'W/"1"' } } }),
    (error) => error.response.status === 412,
  );
});
await step('fhir-kit-client: a transaction', async () => {
  const bundle = await kit.transaction({
    body: {
      resourceType: 'Bundle', type: 'transaction',
      entry: [
        { fullUrl: 'urn:uuid:0b2b0d4e-6a27-4b53-8d7f-6a5a5f0e9a01', request: { method: 'POST', url: 'Encounter' },
          resource: { resourceType: 'Encounter', status: 'finished', class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'AMB' },
            subject: { reference: `Patient/${patient}` }, period: { start: '2026-01-15T09:00:00+01:00', end: '2026-01-15T09:40:00+01:00' } } },
        { request: { method: 'POST', url: 'Observation' },
          resource: { ...heartRate(patient, 70), encounter: { reference: 'urn:uuid:0b2b0d4e-6a27-4b53-8d7f-6a5a5f0e9a01' } } },
      ],
    },
  });
  assert.ok(bundle.entry.every((e) => e.response.status.startsWith('201')));
});
await step('fhir-kit-client: delete, then gone', async () => {
  await kit.delete({ resourceType: 'Observation', id: created.id });
  await assert.rejects(kit.read({ resourceType: 'Observation', id: created.id }), (error) => error.response.status === 410);
});
await step('fhir-kit-client: $everything', async () => {
  const bundle = await kit.operation({ name: 'everything', resourceType: 'Patient', id: patient, method: 'get' });
  assert.ok(bundle.entry.some((e) => e.resource.resourceType === 'Patient'));
});
await step('medplum: search, read, create, patch, validate, history', async () => {
  const patients = await medplum.searchResources('Patient', { _count: '2' });
  assert.equal(patients.length, 2);
  const made = await medplum.createResource(heartRate(patients[0].id, 80));
  const patched = await medplum.patchResource('Observation', made.id, [{ op: 'replace', path: '/status', value: 'amended' }]);
  assert.equal(patched.status, 'amended');
  const outcome = await medplum.validateResource(heartRate(patients[0].id, 81));
  assert.equal(outcome.resourceType, 'OperationOutcome');
  const history = await medplum.readHistory('Observation', made.id);
  assert.equal(history.entry.length, 2);
  await medplum.deleteResource('Observation', made.id);
});
await step('medplum: conditional create finds what is there', async () => {
  const task = { resourceType: 'Task', status: 'requested', intent: 'order', for: { reference: `Patient/${patient}` },
    identifier: [{ system: 'https://cabinet.example/tasks', value: 'client-test-1' }] };
  const query = `identifier=https://cabinet.example/tasks|client-test-1&patient=Patient/${patient}`;
  const first = await medplum.createResourceIfNoneExist(task, query);
  const second = await medplum.createResourceIfNoneExist(task, query);
  assert.equal(first.id, second.id);
});
await step('medplum: invalid data is refused with its reason', async () => {
  await assert.rejects(
    medplum.createResource({ ...heartRate(patient, 80), status: 'nonsense' }),
    (error) => /Observation\.status/.test(JSON.stringify(error.outcome)),
  );
});
await step('somebody outside the circle sees nothing, in the words used for what does not exist', async () => {
  const outsider = demo.accounts.find((a) => a.role === 'care' && a.user !== doctor.user && a.circle === 'none');
  assert.ok(outsider, 'the demonstration has a professional outside every circle');
  const other = new Client({ baseUrl: demo.fhir, bearerToken: outsider.token });
  const answers = [];
  for (const id of [patient, 'b4cf2d7e-0000-4000-8000-000000000000'])
    await assert.rejects(other.read({ resourceType: 'Patient', id }), (error) => answers.push([error.response.status, JSON.stringify(error.response.data)]) > 0);
  assert.equal(answers[0][0], 404);
  assert.deepEqual(answers[0], answers[1]);
});
