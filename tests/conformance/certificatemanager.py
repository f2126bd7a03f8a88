"""Certificate Manager: google-cloud-certificate-manager, and google-api-python-client beside it."""

import json
import unittest
from functools import partial

from google.api_core import exceptions
from google.cloud import certificate_manager_v1 as manager
from google.cloud.location import locations_pb2
from google.longrunning import operations_pb2
from google.protobuf.field_mask_pb2 import FieldMask
from googleapiclient.errors import HttpError

from emulated import CERTIFICATE, KEY, PATIENCE, PROJECT, client, control, discovered, gone

PLACE = f"projects/{PROJECT}/locations/global"
Managed = manager.Certificate.ManagedCertificate
Attempt = Managed.AuthorizationAttemptInfo


class Collection:
    """One of the four kinds: the same verbs, each waited for."""

    def __init__(self, service, kind, parent=PLACE):
        self.service, self.kind, self.parent = service, kind, parent
        self.path, self.plural = {
            "certificate": ("certificates", "certificates"),
            "certificate_map": ("certificateMaps", "certificate_maps"),
            "certificate_map_entry": ("certificateMapEntries", "certificate_map_entries"),
            "dns_authorization": ("dnsAuthorizations", "dns_authorizations"),
        }[kind]

    def named(self, name):
        return f"{self.parent}/{self.path}/{name}"

    def get(self, name):
        return getattr(self.service, f"get_{self.kind}")(name=self.named(name))

    def start(self, name, body):
        method = getattr(self.service, f"create_{self.kind}")
        return method({"parent": self.parent, f"{self.kind}_id": name, self.kind: body})

    def create(self, name, body):
        return self.start(name, body).result(timeout=PATIENCE)

    def update(self, body, *mask):
        method = getattr(self.service, f"update_{self.kind}")
        return method({self.kind: body, "update_mask": FieldMask(paths=mask)}).result(timeout=PATIENCE)

    def delete(self, name):
        deletion = getattr(self.service, f"delete_{self.kind}")(name=self.named(name))
        return deletion.result(timeout=PATIENCE)

    def list(self, **options):
        method = getattr(self.service, f"list_{self.plural}")
        return method({"parent": self.parent, **options})


class Case(unittest.TestCase):
    def setUp(self):
        self.service = client(manager.CertificateManagerClient, "http://certificatemanager.googleapis.com")
        self.addCleanup(self.service.transport.close)
        self.certificates = Collection(self.service, "certificate")
        self.maps = Collection(self.service, "certificate_map")
        self.authorizations = Collection(self.service, "dns_authorization")

    def entries(self, of_map):
        return Collection(self.service, "certificate_map_entry", self.maps.named(of_map))

    def refused(self, kind, call, *words):
        with self.assertRaises(kind) as refused:
            call()
        said = f"{refused.exception.message} {refused.exception.details}"
        for word in words:
            self.assertIn(word, said)

    def authorized(self, name, domain, publish=True):
        """An authorization, with its record in the DNS."""
        made = self.authorizations.create(name, {"domain": domain})
        record = made.dns_resource_record
        if publish:
            control("PUT", "dns", control("GET", "dns") | {record.name: record.data})
        return made

    def managed(self, *domains, authorizations=()):
        names = [self.authorizations.named(name) for name in authorizations]
        return {"managed": {"domains": domains, "dns_authorizations": names}}

    def own(self):
        return {"self_managed": {"pem_certificate": CERTIFICATE, "pem_private_key": KEY}}


class Certificates(Case):
    def test_a_wildcard_is_authorized_issued_and_served(self):
        authorization = self.authorized("wild", "wild.example.com")
        record = authorization.dns_resource_record
        self.assertEqual((record.type_, record.name), ("CNAME", "_acme-challenge.wild.example.com."))
        self.assertEqual(self.authorizations.get("wild"), authorization)
        domains = ("*.wild.example.com", "wild.example.com")
        creation = self.certificates.start("wild", self.managed(*domains, authorizations=["wild"]))
        self.assertEqual(creation.metadata.verb, "create")
        self.assertTrue(creation.metadata.target.endswith("/certificates/wild"))
        made = creation.result(timeout=PATIENCE)
        self.assertEqual(
            (made.managed.state, list(made.managed.domains)), (Managed.State.PROVISIONING, list(domains))
        )

        issued = self.certificates.get("wild")
        self.assertEqual(issued.managed.state, Managed.State.ACTIVE)
        attempts = {one.domain: one.state for one in issued.managed.authorization_attempt_info}
        self.assertEqual(attempts, dict.fromkeys(domains, Attempt.State.AUTHORIZED))
        self.assertEqual(list(issued.san_dnsnames), list(domains))
        self.assertTrue(issued.expire_time)

        self.maps.create("wild", {"description": "one map"})
        entries = self.entries("wild")
        entry = {"hostname": "*.wild.example.com", "certificates": [self.certificates.named("wild")]}
        entries.create("wild", entry)
        self.assertEqual(entries.get("wild").state, manager.ServingState.ACTIVE)
        self.assertEqual(len(self.certificates.get("wild").used_by), 1)
        precondition = partial(self.refused, exceptions.BadRequest)
        precondition(partial(self.certificates.delete, "wild"), "is referenced by a CertificateMapEntry")
        precondition(partial(self.authorizations.delete, "wild"), "is referenced by a Certificate")
        entries.delete("wild")
        self.certificates.delete("wild")
        self.authorizations.delete("wild")
        self.maps.delete("wild")
        for collection in (self.certificates, self.maps, self.authorizations):
            gone(partial(collection.get, "wild"))

    def test_a_map_on_a_proxy_stays(self):
        self.maps.create("served", {})
        compute = discovered("compute", "v1", "compute/v1/")
        self.addCleanup(compute.close)
        proxy = {
            "name": "served",
            "urlMap": f"projects/{PROJECT}/global/urlMaps/map",
            "certificateMap": f"//certificatemanager.googleapis.com/{self.maps.named('served')}",
        }
        proxies = compute.targetHttpsProxies()
        proxies.insert(project=PROJECT, body=proxy).execute()
        targets = self.maps.get("served").gclb_targets
        self.assertTrue(targets[0].target_https_proxy.endswith("/targetHttpsProxies/served"))
        delete = partial(self.maps.delete, "served")
        self.refused(exceptions.BadRequest, delete, "is referenced by a target proxy")
        proxies.delete(project=PROJECT, targetHttpsProxy="served").execute()
        delete()

    def test_what_is_not_published_is_not_issued(self):
        self.authorized("dark", "dark.example.com", publish=False)
        self.certificates.create("dark", self.managed("dark.example.com", authorizations=["dark"]))
        made = self.certificates.get("dark").managed
        self.assertNotEqual(made.state, Managed.State.ACTIVE)
        self.assertEqual(made.provisioning_issue.reason, Managed.ProvisioningIssue.Reason.AUTHORIZATION_ISSUE)
        attempt = made.authorization_attempt_info[0]
        self.assertEqual(attempt.state, Attempt.State.FAILED)
        self.assertEqual(attempt.failure_reason, Attempt.FailureReason.CONFIG)

    def test_one_of_our_own_is_replaced_in_place(self):
        made = self.certificates.create("own", self.own() | {"labels": {"team": "edge"}})
        self.assertEqual((made.pem_certificate, made.self_managed.pem_private_key), (CERTIFICATE, ""))
        renewed = self.own() | {"name": made.name, "labels": {"not": "in-the-mask"}}
        updated = self.certificates.update(renewed, "self_managed")
        self.assertEqual(dict(updated.labels), {"team": "edge"})
        described = {"name": made.name, "description": "renewed"}
        self.assertEqual(self.certificates.update(described, "description").description, "renewed")
        self.refused(exceptions.BadRequest, partial(self.certificates.update, renewed), "update_mask")
        self.refused(exceptions.BadRequest, partial(self.certificates.update, renewed, "scope"), "immutable")

    def test_maps_and_entries_change(self):
        self.certificates.create("first", self.own())
        self.certificates.create("second", self.own())
        self.maps.create("edge", {})
        changed = self.maps.update({"name": self.maps.named("edge"), "labels": {"team": "edge"}}, "labels")
        self.assertEqual(dict(changed.labels), {"team": "edge"})
        entries = self.entries("edge")
        matcher = manager.CertificateMapEntry.Matcher.PRIMARY
        made = entries.create(
            "main", {"matcher": matcher, "certificates": [self.certificates.named("first")]}
        )
        self.assertEqual(made.matcher, matcher)
        both = [self.certificates.named(name) for name in ("second", "first")]
        changed = entries.update({"name": entries.named("main"), "certificates": both}, "certificates")
        self.assertEqual([name.rsplit("/", 1)[-1] for name in changed.certificates], ["second", "first"])
        self.assertEqual([entry.name for entry in entries.list()], [entries.get("main").name])
        described = {"name": self.authorized("noted", "noted.example.com").name, "description": "noted"}
        self.assertEqual(self.authorizations.update(described, "description").description, "noted")

    def test_pages(self):
        for collection, body in (
            (self.certificates, self.own()),
            (self.maps, {}),
        ):
            for n in range(3):
                collection.create(f"page-{n}", body)
            pages = [list(getattr(page, collection.plural)) for page in collection.list(page_size=2).pages]
            self.assertTrue(len(pages) > 1 and all(len(page) <= 2 for page in pages))
            names = {one.name.rsplit("/", 1)[-1] for page in pages for one in page}
            self.assertLessEqual({"page-0", "page-1", "page-2"}, names)
        self.authorized("page", "page.example.com", publish=False)
        self.assertIn("page", [one.name.rsplit("/", 1)[-1] for one in self.authorizations.list()])

    def test_refusals(self):
        for collection in (self.certificates, self.maps, self.authorizations):
            self.refused(exceptions.NotFound, partial(collection.get, "none"), "was not found")
            self.refused(exceptions.NotFound, partial(collection.delete, "none"))
        self.certificates.create("taken", self.own())
        self.refused(
            exceptions.Conflict, partial(self.certificates.create, "taken", self.own()), "already exists"
        )
        for body, words in (
            (self.managed("*.example.com"), "requires a DNS authorization"),
            (self.managed(), "at least one domain"),
            ({}, "exactly one of managed and self_managed"),
            ({"self_managed": {"pem_certificate": "none", "pem_private_key": KEY}}, "could not parse"),
        ):
            self.refused(exceptions.BadRequest, partial(self.certificates.create, "wrong", body), words)
        unknown = self.managed("a.example.com", authorizations=["none"])
        self.refused(exceptions.NotFound, partial(self.certificates.create, "wrong", unknown))

    def test_places_and_operations(self):
        places = self.service.list_locations(locations_pb2.ListLocationsRequest(name=f"projects/{PROJECT}"))
        self.assertIn(PLACE, [place.name for place in places.locations])
        place = self.service.get_location(locations_pb2.GetLocationRequest(name=PLACE))
        self.assertEqual(place.location_id, "global")
        creation = self.maps.start("listed", {})
        creation.result(timeout=PATIENCE)
        name = creation.operation.name
        request = operations_pb2.ListOperationsRequest(name=PLACE)
        self.assertIn(name, [one.name for one in self.service.list_operations(request).operations])
        # What is over cannot be cancelled; what is known can be forgotten.
        self.service.cancel_operation(operations_pb2.CancelOperationRequest(name=name))
        self.service.delete_operation(operations_pb2.DeleteOperationRequest(name=name))
        get = partial(self.service.get_operation, operations_pb2.GetOperationRequest(name=name))
        self.refused(exceptions.NotFound, get)


class Discovered(Case):
    """What one client wrote the other reads."""

    def test_names_of_enums_and_of_fields(self):
        service = discovered("certificatemanager", "v1")
        self.addCleanup(service.close)
        certificates = service.projects().locations().certificates()
        self.certificates.create("both", self.own() | {"scope": manager.Certificate.Scope.ALL_REGIONS})
        read = certificates.get(name=self.certificates.named("both")).execute()
        self.assertEqual((read["scope"], read["pemCertificate"]), ("ALL_REGIONS", CERTIFICATE))
        patch = certificates.patch(name=read["name"], updateMask="labels", body={"labels": {"a": "b"}})
        started = patch.execute()
        self.assertTrue(started["metadata"]["target"].endswith("/certificates/both"))
        get = service.projects().locations().operations().get(name=started["name"])
        self.assertEqual(get.execute()["response"]["labels"], {"a": "b"})
        with self.assertRaises(HttpError) as missing:
            certificates.get(name=self.certificates.named("none")).execute()
        error = json.loads(missing.exception.content)["error"]
        self.assertEqual((error["code"], error["status"]), (404, "NOT_FOUND"))
