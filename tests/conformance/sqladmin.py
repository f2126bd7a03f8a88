"""Cloud SQL: google-api-python-client, for there is no google-cloud-* client of it."""

import json
import unittest

from googleapiclient.errors import HttpError

from emulated import PROJECT, REGION, discovered, until

# Made once and all at the same time, for a create takes seconds.
PREPARED = {
    "page-a": {},
    "page-b": {},
    "busy": {},
    "stale": {},
    "kept": {"deletionProtectionEnabled": True},
    "shrinks": {"dataDiskSizeGb": "30"},
}


class Instances(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        service = discovered("sqladmin", "v1")
        cls.addClassCleanup(service.close)
        cls.instances = service.instances()
        cls.operations = service.operations()
        for name, settings in PREPARED.items():
            cls.insert(name, **settings)
        until(lambda: [cls.get(name) for name in PREPARED], lambda made: all(map(is_ready, made)))

    @classmethod
    def get(cls, instance):
        return cls.instances.get(project=PROJECT, instance=instance).execute()

    def settled(self, started):
        """Waits for an operation, as there is no helper for it; a failed one is returned as it is."""
        self.assertIn(started["status"], ("PENDING", "RUNNING"))
        get = self.operations.get(project=PROJECT, operation=started["name"])
        return until(get.execute, lambda operation: operation["status"] == "DONE")

    def done(self, started):
        ended = self.settled(started)
        self.assertNotIn("error", ended)
        self.assertEqual((ended["kind"], ended["targetProject"]), ("sql#operation", PROJECT))
        return ended

    @classmethod
    def insert(cls, name, **settings):
        body = {
            "name": name,
            "region": REGION,
            "databaseVersion": "POSTGRES_15",
            "settings": {"tier": "db-custom-1-3840"} | settings,
        }
        return cls.instances.insert(project=PROJECT, body=body).execute()

    def patch(self, name, **body):
        return self.instances.patch(project=PROJECT, instance=name, body=body).execute()

    def refused(self, code, reason, call, *arguments, **fields):
        with self.assertRaises(HttpError) as refused:
            call(*arguments, **fields)
        error = json.loads(refused.exception.content)["error"]
        self.assertEqual((refused.exception.resp.status, error["code"]), (code, code))
        self.assertEqual(error["errors"][0]["reason"], reason)
        return error["message"]

    def test_a_life(self):
        creation = self.insert(
            "alife",
            dataDiskSizeGb="20",
            databaseFlags=[{"name": "log_connections", "value": "on"}],
            userLabels={"team": "shop"},
            backupConfiguration={"enabled": True, "startTime": "03:00"},
        )
        self.assertEqual((creation["operationType"], creation["targetId"]), ("CREATE", "alife"))
        self.assertEqual(self.get("alife")["state"], "PENDING_CREATE")
        self.done(creation)
        made = until(lambda: self.get("alife"), is_ready)
        self.assertEqual(made["connectionName"], f"{PROJECT}:{REGION}:alife")
        settings = made["settings"]
        self.assertEqual((settings["dataDiskSizeGb"], settings["settingsVersion"]), ("20", "1"))
        self.assertNotIn("rootPassword", made)

        # A patch merges: lists are replaced whole, the rest stays.
        flags = [{"name": "max_connections", "value": "200"}]
        changed = self.patch("alife", settings={"tier": "db-custom-2-7680", "databaseFlags": flags})
        self.assertEqual(self.get("alife")["state"], "MAINTENANCE", "a tier restarts the instance")
        self.done(changed)
        patched = until(lambda: self.get("alife"), is_ready)["settings"]
        self.assertEqual((patched["tier"], patched["databaseFlags"]), ("db-custom-2-7680", flags))
        self.assertEqual((patched["userLabels"], patched["settingsVersion"]), ({"team": "shop"}, "2"))

        # An update replaces: what is read, changed and written back.
        whole = self.get("alife")
        del whole["settings"]["userLabels"]
        update = self.instances.update(project=PROJECT, instance="alife", body=whole)
        self.done(update.execute())
        until(lambda: self.get("alife"), lambda read: "userLabels" not in read["settings"])

        listed = self.operations.list(project=PROJECT, instance="alife").execute()["items"]
        self.assertEqual([one["operationType"] for one in listed], ["UPDATE", "UPDATE", "CREATE"])
        deletion = self.instances.delete(project=PROJECT, instance="alife").execute()
        self.done(deletion)
        # "You can't reuse the name of the deleted instance until one week from the deletion date."
        until(
            lambda: self.instances.list(project=PROJECT).execute(), lambda reply: "alife" not in names(reply)
        )
        self.refused(403, "notAuthorized", self.get, "alife")
        self.refused(409, "instanceAlreadyExists", self.insert, "alife")

    def test_pages(self):
        request = self.instances.list(project=PROJECT, maxResults=1)
        listed = []
        while request is not None:
            reply = request.execute()
            self.assertEqual(len(names(reply)), 1)
            listed += names(reply)
            request = self.instances.list_next(request, reply)
        self.assertLessEqual({"netra-db", "page-a", "page-b"}, set(listed))
        only = self.instances.list(project=PROJECT, filter="name:page-a").execute()
        self.assertEqual(names(only), ["page-a"])

        request, seen = self.operations.list(project=PROJECT, maxResults=1), 0
        while request is not None:
            reply = request.execute()
            seen += len(reply.get("items", []))
            request = self.operations.list_next(request, reply)
        self.assertGreaterEqual(seen, 2)

    def test_one_operation_at_a_time(self):
        running = self.patch("busy", settings={"userLabels": {"a": "b"}})
        self.refused(409, "operationInProgress", self.patch, "busy", settings={"userLabels": {}})
        self.done(running)

    def test_a_stale_version_is_refused(self):
        self.refused(
            412,
            "staleData",
            self.patch,
            "stale",
            settings={"tier": "db-custom-2-7680", "settingsVersion": "7"},
        )

    def test_a_protected_instance_is_not_deleted(self):
        delete = self.instances.delete(project=PROJECT, instance="kept")
        message = self.refused(400, "invalid", delete.execute)
        self.assertIn("protected", message)
        self.done(self.patch("kept", settings={"deletionProtectionEnabled": False}))
        self.done(delete.execute())

    def test_refusals(self):
        self.refused(404, "instanceDoesNotExist", self.get, "none")
        self.refused(404, "instanceDoesNotExist", self.patch, "none", settings={})
        self.refused(409, "instanceAlreadyExists", self.insert, "netra-db")
        self.refused(400, "invalid", self.insert, "wrong", tier="db-custom-3-3840")
        self.refused(400, "invalid", self.insert, "wrong", dataDiskSizeGb="5")
        self.refused(400, "invalid", self.patch, "shrinks", settings={"dataDiskSizeGb": "20"})
        get = self.operations.get(project=PROJECT, operation="none")
        self.refused(404, "operationDoesNotExist", get.execute)


def is_ready(instance):
    return instance["state"] == "RUNNABLE"


def names(reply):
    return [instance["name"] for instance in reply.get("items", [])]
