"""Serverless VPC Access: google-cloud-vpc-access, and google-api-python-client for what it lacks (patch)."""

import json
import unittest

from google.api_core import exceptions
from google.cloud import vpcaccess_v1 as vpcaccess
from google.cloud.location import locations_pb2
from google.longrunning import operations_pb2
from googleapiclient.errors import HttpError

from emulated import LOCATION, PATIENCE, PROJECT, client, discovered, gone, until

State = vpcaccess.Connector.State


def named(connector):
    return f"{LOCATION}/connectors/{connector}"


class Connectors(unittest.TestCase):
    def setUp(self):
        self.client = client(vpcaccess.VpcAccessServiceClient)
        self.addCleanup(self.client.transport.close)
        service = discovered("vpcaccess", "v1")
        self.addCleanup(service.close)
        self.resource = service.projects().locations()

    def get(self, connector):
        return self.client.get_connector(name=named(connector))

    def create(self, connector, **fields):
        fields = {"network": "default", "min_instances": 2, "max_instances": 3} | fields
        return self.client.create_connector(
            parent=LOCATION, connector_id=connector, connector=vpcaccess.Connector(**fields)
        )

    def patch(self, connector, mask, **body):
        """Patches and waits; a failed operation is returned as it is."""
        connectors = self.resource.connectors()
        started = connectors.patch(name=named(connector), updateMask=mask, body=body).execute()
        get = self.resource.operations().get(name=started["name"])
        return until(get.execute, lambda operation: operation.get("done"))

    def test_a_life(self):
        creation = self.create("alife", ip_cidr_range="10.9.0.0/28", machine_type="e2-micro")
        self.assertFalse(creation.operation.done)
        self.assertEqual(creation.metadata.target, named("alife"))
        self.assertTrue(creation.metadata.method.endswith(".CreateConnector"))
        self.assertEqual(self.get("alife").state, State.CREATING)
        made = creation.result(timeout=PATIENCE)
        self.assertEqual((made.name, made.state), (named("alife"), State.READY))
        self.assertEqual((made.min_throughput, made.max_throughput), (200, 300))
        self.assertEqual(list(made.connected_projects), [PROJECT])
        self.assertGreaterEqual(creation.metadata.end_time, creation.metadata.create_time)

        done = self.patch(
            "alife", "machineType,maxInstances,minInstances",
            machineType="e2-standard-4", minInstances=3, maxInstances=5,
        )  # fmt: skip
        self.assertEqual(done["response"]["maxInstances"], 5)
        # Reads may show the state before for a moment.
        changed = until(lambda: self.get("alife"), lambda found: found.max_instances == 5)
        self.assertEqual((changed.min_instances, changed.machine_type), (3, "e2-standard-4"))

        # What every change returns is an operation; a client that lost it finds it in the list.
        listed = self.client.list_operations(operations_pb2.ListOperationsRequest(name=LOCATION))
        names = [operation.name for operation in listed.operations]
        self.assertIn(creation.operation.name, names)
        again = operations_pb2.GetOperationRequest(name=creation.operation.name)
        self.assertTrue(self.client.get_operation(again).done)

        deletion = self.client.delete_connector(name=named("alife"))
        self.assertEqual(self.get("alife").state, State.DELETING)
        self.assertIsNotNone(deletion.result(timeout=PATIENCE))
        gone(lambda: self.get("alife"))

    def test_pages(self):
        waiting = [self.create(f"page-{n}", ip_cidr_range=f"10.9.1.{n * 16}/28") for n in range(3)]
        for creation in waiting:
            creation.result(timeout=PATIENCE)
        pager = self.client.list_connectors(vpcaccess.ListConnectorsRequest(parent=LOCATION, page_size=2))
        pages = [[connector.name for connector in page.connectors] for page in pager.pages]
        self.assertGreater(len(pages), 1)
        self.assertTrue(all(len(page) <= 2 for page in pages))
        flat = [name for page in pages for name in page]
        self.assertEqual(len(flat), len(set(flat)))
        whole = self.resource.connectors().list(parent=LOCATION).execute()["connectors"]
        self.assertLessEqual({named(f"page-{n}") for n in range(3)}, set(flat))
        self.assertLessEqual({named("staging-connector")}, {one["name"] for one in whole})

    def test_places(self):
        request = locations_pb2.ListLocationsRequest(name=f"projects/{PROJECT}")
        places = self.client.list_locations(request).locations
        self.assertIn(LOCATION, [place.name for place in places])

    def test_refusals(self):
        with self.assertRaises(exceptions.NotFound) as missing:
            self.get("none")
        self.assertEqual(missing.exception.message.split(": ")[-1], "The connector is not found.")
        with self.assertRaises(exceptions.NotFound):
            self.client.delete_connector(name=named("none"))
        with self.assertRaises(exceptions.Conflict):
            self.create("staging-connector", ip_cidr_range="10.9.2.0/28")
        for fields in (
            {"max_instances": 50},
            {"machine_type": "e2-standard-8"},
            {"min_instances": 5, "max_instances": 5},
            {"ip_cidr_range": "10.9.2.0/24"},
        ):
            with self.subTest(fields), self.assertRaises(exceptions.BadRequest) as refused:
                self.create("refused", **({"ip_cidr_range": "10.9.2.0/28"} | fields))
            self.assertEqual(refused.exception.details[0]["@type"].split(".")[-1], "BadRequest")

    def test_what_only_grows(self):
        for mask, body in (
            ("minInstances,maxInstances", {"minInstances": 2, "maxInstances": 2}),
            ("maxInstances", {"maxInstances": 10}),
            ("network", {"network": "other"}),
            ("nothing", {}),
        ):
            with self.subTest(mask), self.assertRaises(HttpError) as refused:
                self.patch("staging-connector", mask, **body)
            error = json.loads(refused.exception.content)["error"]
            self.assertEqual((error["code"], error["status"]), (400, "INVALID_ARGUMENT"))

    def test_a_failed_create_leaves_an_error_and_keeps_the_name(self):
        creation = self.create("nomax", ip_cidr_range="10.9.3.0/28", max_instances=0)
        with self.assertRaises(exceptions.GoogleAPICallError) as failed:
            creation.result(timeout=PATIENCE)
        self.assertIn("max_instances", failed.exception.message)
        until(lambda: self.get("nomax").state, lambda state: state == State.ERROR)
        with self.assertRaises(exceptions.Conflict):
            self.create("nomax", ip_cidr_range="10.9.3.0/28")
        self.client.delete_connector(name=named("nomax")).result(timeout=PATIENCE)
        gone(lambda: self.get("nomax"))
