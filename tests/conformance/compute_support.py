"""What the tests of Compute Engine share: collections with the same verbs, and what holds for every kind."""

import unittest
from functools import partial

from google.api_core import exceptions
from google.cloud import compute_v1 as compute

from emulated import ADDRESS, PATIENCE, PROJECT, REGION, client

GLOBAL = f"projects/{PROJECT}/global"
REGIONAL = f"projects/{PROJECT}/regions/{REGION}"


def url(name):
    return f"https://www.googleapis.com/compute/v1/{name}"


class Collection:
    """A kind of resource in one place: the same verbs whatever the kind, and operations that are waited for."""

    def __init__(self, kind, item, place):
        self.client = client(kind)
        self.item = item
        self.place = {"project": PROJECT} | place
        # A client makes the one that it polls operations with by itself, and forgets what endpoint it was given.
        name, polls = next(
            (name, polls)
            for scope, name, polls in (
                ("region", "region_operations", compute.RegionOperationsClient),
                ("zone", "zone_operations", compute.ZoneOperationsClient),
                ("project", "global_operations", compute.GlobalOperationsClient),
            )
            if scope in self.place
        )
        self.client.transport._extended_operations_services[name] = client(polls)

    def of(self, name):
        return self.place | {self.item: name}

    def get(self, name):
        return self.client.get(**self.of(name))

    def done(self, started):
        started.result(timeout=PATIENCE)
        assert started.status == compute.Operation.Status.DONE, started.status
        return started

    def insert(self, body):
        return self.done(self.client.insert(**self.place, **{f"{self.item}_resource": body}))

    def made(self, body):
        self.insert(body)
        return self.get(body.name)

    def patch(self, name, body):
        return self.done(self.client.patch(**self.of(name), **{f"{self.item}_resource": body}))

    def update(self, name, body):
        return self.done(self.client.update(**self.of(name), **{f"{self.item}_resource": body}))

    def delete(self, name):
        return self.done(self.client.delete(**self.of(name)))

    def list(self, **options):
        return self.client.list({**self.place, **options})


def both(kind, regional, item):
    """The collections of a kind: global and regional."""
    return [Collection(kind, item, {}), Collection(regional, item, {"region": REGION})]


class Case(unittest.TestCase):
    def refused(self, kind, call, *words):
        with self.assertRaises(kind) as refused:
            call()
        for word in words:
            self.assertIn(word, refused.exception.message)
        self.assertTrue(refused.exception.errors[0]["reason"])
        return refused.exception.errors[0]["reason"]

    def a_life(self, collection, body):
        """What holds for every kind: made, listed, found, refused a second time, deleted, missing."""
        operation = collection.insert(body)
        self.assertEqual(operation.operation_type, "insert")
        self.assertTrue(operation.target_link.endswith(f"/{body.name}"))
        made = collection.get(body.name)
        self.assertEqual(made.name, body.name)
        self.assertTrue(made.self_link.startswith(ADDRESS), made.self_link)
        self.assertEqual(operation.target_id, made.id)
        self.assertEqual(made.region.rsplit("/", 1)[-1], collection.place.get("region", ""))
        again = partial(collection.insert, body)
        self.assertEqual(self.refused(exceptions.Conflict, again, "already exists"), "alreadyExists")
        self.assertEqual([one.name for one in collection.list(filter=f"name={body.name}")], [body.name])
        for n in range(2):
            other = type(body).from_json(type(body).to_json(body))
            other.name = f"{body.name}-{n}"
            collection.insert(other)
        pages = [
            [one.name for one in page.items] for page in collection.list(max_results=1, order_by="name").pages
        ]
        self.assertTrue(all(len(page) <= 1 for page in pages))
        flat = [name for page in pages for name in page]
        self.assertEqual(flat, sorted(flat))
        self.assertLessEqual({body.name, f"{body.name}-0", f"{body.name}-1"}, set(flat))
        for n in range(2):
            collection.delete(f"{body.name}-{n}")
        missing = partial(collection.get, f"{body.name}-0")
        self.assertEqual(self.refused(exceptions.NotFound, missing, "was not found"), "notFound")
        self.refused(exceptions.NotFound, partial(collection.delete, f"{body.name}-0"))
        return made

    def everywhere(self, collection, field):
        """The names of a kind in all places, by place."""
        request = {"project": PROJECT, "include_all_scopes": True}
        scopes = collection.client.aggregated_list(request)
        return {scope: [one.name for one in getattr(found, field)] for scope, found in scopes}
