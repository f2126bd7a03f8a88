"""Cloud Run: google-cloud-run."""

import unittest

from google.api_core import exceptions
from google.cloud import run_v2
from google.longrunning import operations_pb2
from google.protobuf.duration_pb2 import Duration
from google.protobuf.field_mask_pb2 import FieldMask

from emulated import LOCATION, PATIENCE, client, gone, until

Allocation = run_v2.TrafficTargetAllocationType
LATEST = Allocation.TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST
REVISION = Allocation.TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION
SUCCEEDED = run_v2.Condition.State.CONDITION_SUCCEEDED


def named(service):
    return f"{LOCATION}/services/{service}"


def container(image="shop:1", **env):
    env = [run_v2.EnvVar(name=name, value=value) for name, value in env.items()]
    return run_v2.Container(image=image, env=env)


def template(**fields):
    return run_v2.RevisionTemplate(**({"containers": [container()]} | fields))


class Services(unittest.TestCase):
    def setUp(self):
        self.client = client(run_v2.ServicesClient)
        self.revisions = client(run_v2.RevisionsClient)
        self.addCleanup(self.client.transport.close)
        self.addCleanup(self.revisions.transport.close)

    def get(self, service):
        return self.client.get_service(name=named(service))

    def create(self, service, **fields):
        wanted = run_v2.Service(**({"template": template()} | fields))
        return self.client.create_service(parent=LOCATION, service_id=service, service=wanted)

    def made(self, service, **fields):
        return self.create(service, **fields).result(timeout=PATIENCE)

    def update(self, service, mask=None, **options):
        """Updates a service as it was read, whole or by a mask, and waits."""
        request = run_v2.UpdateServiceRequest(
            service=service, update_mask=mask and FieldMask(paths=mask), **options
        )
        return self.client.update_service(request).result(timeout=PATIENCE)

    def revisions_of(self, service):
        return list(self.revisions.list_revisions(parent=named(service)))

    def test_a_life(self):
        rich = template(
            timeout=Duration(seconds=60),
            execution_environment=run_v2.ExecutionEnvironment.EXECUTION_ENVIRONMENT_GEN2,
            scaling=run_v2.RevisionScaling(min_instance_count=1, max_instance_count=5),
            vpc_access=run_v2.VpcAccess(
                connector=f"{LOCATION}/connectors/staging-connector",
                egress=run_v2.VpcAccess.VpcEgress.PRIVATE_RANGES_ONLY,
            ),
            containers=[
                run_v2.Container(
                    image="shop:1",
                    env=[run_v2.EnvVar(name="DB_CONNECTION_TIMEOUT", value="600")],
                    resources=run_v2.ResourceRequirements(limits={"cpu": "2", "memory": "1Gi"}),
                    startup_probe=run_v2.Probe(
                        period_seconds=10,
                        failure_threshold=10,
                        http_get=run_v2.HTTPGetAction(path="/health/basic"),
                    ),
                )
            ],
        )
        ingress = run_v2.IngressTraffic.INGRESS_TRAFFIC_INTERNAL_ONLY
        creation = self.create("alife", template=rich, ingress=ingress, labels={"team": "shop"})
        self.assertEqual(creation.metadata.name, named("alife"))
        made = creation.result(timeout=PATIENCE)
        self.assertEqual(made.terminal_condition.state, SUCCEEDED)
        self.assertEqual((made.generation, made.observed_generation, made.reconciling), (1, 1, False))
        self.assertEqual((made.ingress, dict(made.labels)), (ingress, {"team": "shop"}))
        self.assertEqual(made.template.execution_environment, rich.execution_environment)
        self.assertEqual(made.template.vpc_access, rich.vpc_access)
        self.assertEqual(made.template.timeout, rich.timeout)
        self.assertEqual(made.latest_ready_revision, made.latest_created_revision)
        self.assertTrue(made.uri.startswith("https://alife-"))
        self.assertEqual(until(lambda: self.get("alife"), lambda read: read == made), made)

        # A mask changes what it names and nothing else; the etag of the reading goes with it.
        made.template.containers[0].env[0].value = "35"
        made.labels["team"] = "not in the mask"
        changed = self.update(made, ["template.containers"])
        self.assertEqual(changed.template.containers[0].env[0].value, "35")
        self.assertEqual(dict(changed.labels), {"team": "shop"})
        self.assertNotEqual(changed.latest_ready_revision, made.latest_ready_revision)

        # Without a mask the service is replaced.
        replacement = run_v2.Service(name=named("alife"), template=template())
        self.update(replacement)
        until(lambda: self.get("alife"), lambda replaced: not replaced.labels)
        until(lambda: self.revisions_of("alife"), lambda revisions: len(revisions) == 3)

        deletion = self.client.delete_service(name=named("alife"))
        self.assertEqual(deletion.metadata.name, named("alife"))
        self.assertEqual(deletion.result(timeout=PATIENCE).name, named("alife"))
        gone(lambda: self.get("alife"))

    def test_traffic_moves_in_steps_and_goes_back(self):
        first = self.made("traffic")
        old = first.latest_ready_revision.rsplit("/", 1)[-1]
        pinned = [run_v2.TrafficTarget(type_=REVISION, revision=old, percent=100)]
        held = self.update(run_v2.Service(name=first.name, traffic=pinned), ["traffic"])
        self.assertEqual([(one.revision, one.percent) for one in held.traffic_statuses], [(old, 100)])
        held.template.containers[0].image = "shop:2"
        held.template.revision = "traffic-second"
        second = self.update(held, ["template"])
        self.assertTrue(second.latest_ready_revision.endswith("/traffic-second"))
        self.assertEqual([one.revision for one in second.traffic_statuses], [old])

        for percent in (10, 50):
            split = [
                run_v2.TrafficTarget(type_=REVISION, revision=old, percent=100 - percent),
                run_v2.TrafficTarget(type_=LATEST, percent=percent, tag="next"),
            ]
            moved = self.update(run_v2.Service(name=first.name, traffic=split), ["traffic"])
            shown = {status.revision: status.percent for status in moved.traffic_statuses}
            self.assertEqual(shown[old], 100 - percent)
            self.assertIn("next---", moved.traffic_statuses[1].uri)
        back = self.update(run_v2.Service(name=first.name, traffic=pinned), ["traffic"])
        self.assertEqual(list(back.traffic), pinned)
        until(lambda: self.revisions_of("traffic"), lambda revisions: len(revisions) == 2)

        read = until(lambda: self.revisions.get_revision(name=f"{first.name}/revisions/{old}"))
        self.assertEqual((read.containers[0].image, read.service), ("shop:1", "traffic"))
        with self.assertRaises(exceptions.BadRequest):
            short = [run_v2.TrafficTarget(type_=REVISION, revision=old, percent=60)]
            self.update(run_v2.Service(name=first.name, traffic=short), ["traffic"])

    def test_pages(self):
        request = run_v2.ListServicesRequest(parent=LOCATION, page_size=5)
        pages = [
            [service.name for service in page.services] for page in self.client.list_services(request).pages
        ]
        self.assertGreater(len(pages), 2)
        flat = [name for page in pages for name in page]
        self.assertEqual(sorted(set(flat)), sorted(flat))
        self.assertIn(named("netra-backend"), flat)
        everywhere = run_v2.ListRevisionsRequest(parent=f"{LOCATION}/services/-", page_size=5)
        owners = {named(revision.service) for revision in self.revisions.list_revisions(everywhere)}
        self.assertIn(named("netra-backend"), owners)

    def test_operations_are_found_and_waited_for(self):
        creation = self.create("waited")
        name = creation.operation.name
        wait = operations_pb2.WaitOperationRequest(name=name, timeout=Duration(seconds=5))
        ended = until(lambda: self.client.wait_operation(wait), lambda operation: operation.done)
        self.assertEqual(ended.name, name)
        request = operations_pb2.ListOperationsRequest(name=LOCATION, filter="done=true")
        listed = self.client.list_operations(request)
        self.assertIn(name, [operation.name for operation in listed.operations])

    def test_a_revision_that_does_not_start_fails_and_the_old_one_serves(self):
        good = self.made("fails")
        good.template.vpc_access.connector = f"{LOCATION}/connectors/none"
        with self.assertRaises(exceptions.GoogleAPICallError):
            self.update(good, ["template"])
        failed = run_v2.Condition.State.CONDITION_FAILED
        now = until(lambda: self.get("fails"), lambda read: read.terminal_condition.state == failed)
        self.assertEqual(now.latest_ready_revision, good.latest_ready_revision)
        self.assertNotEqual(now.latest_created_revision, good.latest_created_revision)

    def test_a_dry_run_leaves_nothing_behind(self):
        request = run_v2.CreateServiceRequest(
            parent=LOCATION, service_id="dry", service=run_v2.Service(template=template()), validate_only=True
        )
        self.client.create_service(request)
        gone(lambda: self.get("dry"))

    def test_refusals(self):
        service = self.made("refused")
        with self.assertRaises(exceptions.NotFound) as missing:
            self.get("none")
        self.assertIn("not found", missing.exception.message)
        with self.assertRaises(exceptions.NotFound):
            self.update(run_v2.Service(name=named("none"), template=template()))
        with self.assertRaises(exceptions.Conflict):
            self.create("refused")
        stale = run_v2.Service(name=service.name, template=template(), etag='"stale"')
        with self.assertRaises(exceptions.Conflict):
            self.update(stale)
        with self.assertRaises(exceptions.Conflict):
            self.client.delete_service(run_v2.DeleteServiceRequest(name=service.name, etag='"stale"'))
        for wrong in (
            {"template": template(timeout=Duration(seconds=4000))},
            {"template": run_v2.RevisionTemplate()},
            {"template": template(max_instance_request_concurrency=2000)},
        ):
            with self.subTest(wrong), self.assertRaises(exceptions.BadRequest):
                self.create("wrong", **wrong)
        # A template that still carries the name of the revision it was read from.
        kept = until(lambda: self.get("refused"), lambda read: not read.reconciling)
        kept.template.revision = service.latest_ready_revision.rsplit("/", 1)[-1]
        kept.template.containers[0].image = "shop:2"
        with self.assertRaises(exceptions.Conflict) as refused:
            self.update(kept, ["template"])
        self.assertIn("different configuration already exists", refused.exception.message)

    def test_a_missing_service_may_be_made_by_an_update(self):
        wanted = run_v2.Service(name=named("upserted"), template=template())
        made = self.update(wanted, allow_missing=True)
        self.assertEqual((made.name, made.generation), (named("upserted"), 1))
