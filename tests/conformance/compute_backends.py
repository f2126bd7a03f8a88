"""Health checks, backend services and endpoint groups of Compute Engine: google-cloud-compute."""

from functools import partial

from google.api_core import exceptions
from google.cloud import compute_v1 as compute

from compute_support import GLOBAL, REGIONAL, Case, Collection, both, url
from emulated import ADDRESS, PROJECT, REGION, client, control

ZONE = "us-central1-a"
GROUP = f"projects/{PROJECT}/zones/{ZONE}/instanceGroups/staging-group"
SERVERLESS = f"{REGIONAL}/networkEndpointGroups/staging-neg"


class HealthChecks(Case):
    def setUp(self):
        self.collections = both(compute.HealthChecksClient, compute.RegionHealthChecksClient, "health_check")

    def check(self, name, **fields):
        http = compute.HTTPHealthCheck(port=8000, request_path="/health/basic")
        return compute.HealthCheck(**({"name": name, "type_": "HTTP", "http_health_check": http} | fields))

    def test_a_life(self):
        for checks in self.collections:
            with self.subTest(checks.place):
                made = self.a_life(checks, self.check("alife"))
                self.assertEqual((made.check_interval_sec, made.timeout_sec), (5, 5))
                self.assertEqual((made.healthy_threshold, made.unhealthy_threshold), (2, 2))
                self.assertEqual(made.http_health_check.proxy_header, "NONE")

                checks.patch("alife", compute.HealthCheck(check_interval_sec=10, unhealthy_threshold=3))
                patched = checks.get("alife")
                self.assertEqual((patched.check_interval_sec, patched.unhealthy_threshold), (10, 3))
                self.assertEqual(patched.http_health_check, made.http_health_check)

                # A PUT of what was read, changed: what it leaves out goes back to its default.
                patched.timeout_sec = 4
                del patched.check_interval_sec
                checks.update("alife", patched)
                updated = checks.get("alife")
                self.assertEqual((updated.check_interval_sec, updated.timeout_sec), (5, 4))
                self.assertEqual(updated.id, made.id)
                checks.delete("alife")

    def test_all_protocols(self):
        protocols = {
            "TCP": {"tcp_health_check": compute.TCPHealthCheck(port=80)},
            "SSL": {"ssl_health_check": compute.SSLHealthCheck(port=443)},
            "HTTPS": {"https_health_check": compute.HTTPSHealthCheck(port=443, host="shop.example.com")},
            "HTTP2": {"http2_health_check": compute.HTTP2HealthCheck(port_specification="USE_SERVING_PORT")},
            "GRPC": {"grpc_health_check": compute.GRPCHealthCheck(port=50051, grpc_service_name="shop")},
        }
        for checks in self.collections:
            for protocol, block in protocols.items():
                with self.subTest(protocol):
                    name = f"of-{protocol.lower()}"
                    made = checks.made(compute.HealthCheck(name=name, type_=protocol, **block))
                    self.assertEqual(made.type_, protocol)

    def test_refusals(self):
        for checks in self.collections:
            wrong = self.check("wrong", timeout_sec=30)
            self.refused(exceptions.BadRequest, partial(checks.insert, wrong), "less than checkIntervalSec")
            self.refused(exceptions.BadRequest, partial(checks.insert, self.check("Wrong")), "resource.name")
            self.refused(exceptions.BadRequest, partial(checks.insert, self.check("wrong", type_="TCP")))
            self.refused(
                exceptions.NotFound, partial(checks.patch, "none", compute.HealthCheck(timeout_sec=1))
            )

    def test_one_in_use_stays(self):
        checks = self.collections[0]
        delete = partial(checks.delete, "staging-hc")
        reason = self.refused(exceptions.BadRequest, delete, "is already being used by", "/backendServices/")
        self.assertEqual(reason, "resourceInUseByAnotherResource")

    def test_everywhere(self):
        for checks in self.collections:
            checks.insert(self.check("everywhere"))
        found = self.everywhere(self.collections[0], "health_checks")
        self.assertIn("everywhere", found["global"])
        self.assertIn("everywhere", found[f"regions/{REGION}"])
        self.assertEqual(found["regions/europe-west1"], [])

    def test_a_place_that_does_not_answer_is_named(self):
        checks = self.collections[0]
        rules = [{"match": {"method": "GET", "pathContains": "/aggregated/"}, "action": "unreachable-list"}]
        control("PUT", "faults", rules)
        self.addCleanup(control, "DELETE", "faults")
        request = {"project": PROJECT, "include_all_scopes": True}
        page = next(checks.client.aggregated_list(request).pages)
        self.assertEqual((page.warning.code, len(page.unreachables)), ("PARTIAL_SUCCESS", 1))

    def test_a_repeated_request_is_made_once(self):
        checks = self.collections[0]
        request = {
            "project": PROJECT,
            "health_check_resource": self.check("once"),
            "request_id": "7d9a3bc5-2f1d-4a29-9d4e-0a1b2c3d4e5f",
        }
        first = checks.done(checks.client.insert(request))
        self.assertEqual(checks.done(checks.client.insert(request)).name, first.name)


class BackendServices(Case):
    def setUp(self):
        self.collections = both(
            compute.BackendServicesClient, compute.RegionBackendServicesClient, "backend_service"
        )
        self.check = url(f"{GLOBAL}/healthChecks/staging-hc")

    def service(self, name, group=GROUP, **fields):
        backends = [compute.Backend(group=url(group))] if group else []
        default = {"name": name, "load_balancing_scheme": "EXTERNAL_MANAGED", "backends": backends}
        if group == GROUP:
            default["health_checks"] = [self.check]
        return compute.BackendService(**(default | fields))

    def test_a_life(self):
        for services in self.collections:
            with self.subTest(services.place):
                made = self.a_life(services, self.service("alife"))
                self.assertEqual(
                    (made.protocol, made.timeout_sec, made.session_affinity), ("HTTP", 30, "NONE")
                )
                self.assertEqual(made.backends[0].balancing_mode, "UTILIZATION")
                self.assertTrue(made.fingerprint)

                draining = compute.ConnectionDraining(draining_timeout_sec=60)
                change = compute.BackendService(
                    timeout_sec=60, connection_draining=draining, fingerprint=made.fingerprint
                )
                services.patch("alife", change)
                patched = services.get("alife")
                self.assertEqual((patched.timeout_sec, len(patched.backends)), (60, 1))
                self.assertNotEqual(patched.fingerprint, made.fingerprint)

                stale = self.refused(exceptions.PreconditionFailed, partial(services.patch, "alife", change))
                self.assertEqual(stale, "conditionNotMet")
                patched.description = "written back whole"
                services.update("alife", patched)
                self.assertEqual(services.get("alife").description, patched.description)
                services.delete("alife")

    def test_health_of_a_group(self):
        for services in self.collections:
            services.insert(self.service("probed"))
            # Both a URL and a path within the project name a group, as the API reference shows.
            for group in (url(GROUP), f"/zones/{ZONE}/instanceGroups/staging-group", GROUP):
                with self.subTest(group):
                    reference = compute.ResourceGroupReference(group=group)
                    health = services.client.get_health(
                        **services.of("probed"), resource_group_reference_resource=reference
                    )
                    self.assertEqual(health.kind, "compute#backendServiceGroupHealth")
                    states = {one.ip_address: (one.health_state, one.port) for one in health.health_status}
                    self.assertEqual(
                        states, {"10.128.0.2": ("HEALTHY", 8080), "10.128.0.3": ("UNHEALTHY", 8080)}
                    )
                    instance = health.health_status[0].instance
                    self.assertTrue(
                        instance.startswith(ADDRESS) and instance.endswith("/instances/staging-vm-1")
                    )
            other = compute.ResourceGroupReference(group=url(SERVERLESS))
            ask = partial(
                services.client.get_health, **services.of("probed"), resource_group_reference_resource=other
            )
            self.refused(exceptions.BadRequest, ask, "resource.group")
            ask = partial(
                services.client.get_health, **services.of("none"), resource_group_reference_resource=other
            )
            self.refused(exceptions.NotFound, ask)

    def test_nothing_is_known_of_the_health_of_cloud_run(self):
        services = self.collections[0]
        reference = compute.ResourceGroupReference(group=url(SERVERLESS))
        health = services.client.get_health(
            **services.of("staging-backend"), resource_group_reference_resource=reference
        )
        self.assertEqual(list(health.health_status), [])

    def test_what_each_sort_of_backend_demands(self):
        for services in self.collections:
            with_check = self.service("wrong", group=SERVERLESS, health_checks=[self.check])
            self.refused(
                exceptions.BadRequest, partial(services.insert, with_check), "cannot have a healthcheck"
            )
            without = self.service("wrong", health_checks=[])
            self.refused(exceptions.BadRequest, partial(services.insert, without), "must have a health check")
            unknown = self.service("wrong", group=GROUP.replace("staging", "no"), health_checks=[self.check])
            self.refused(exceptions.NotFound, partial(services.insert, unknown))
            services.insert(self.service("serverless", group=SERVERLESS))

    def test_one_in_use_stays(self):
        services = self.collections[0]
        delete = partial(services.delete, "staging-backend")
        reason = self.refused(exceptions.BadRequest, delete, "is already being used by", "staging-url-map")
        self.assertEqual(reason, "resourceInUseByAnotherResource")

    def test_everywhere(self):
        for services in self.collections:
            services.insert(self.service("everywhere"))
        found = self.everywhere(self.collections[0], "backend_services")
        self.assertIn("everywhere", found["global"])
        self.assertIn("everywhere", found[f"regions/{REGION}"])


class NetworkEndpointGroups(Case):
    """As far as backend services need them: there is no change and no delete of one here."""

    def test_one_of_each_sort(self):
        item = "network_endpoint_group"
        cloud_run = compute.NetworkEndpointGroupCloudRun(service="netra-backend")
        sorts = (
            (compute.GlobalNetworkEndpointGroupsClient, {}, "INTERNET_FQDN_PORT", {}),
            (
                compute.RegionNetworkEndpointGroupsClient,
                {"region": REGION},
                "SERVERLESS",
                {"cloud_run": cloud_run},
            ),
            (compute.NetworkEndpointGroupsClient, {"zone": ZONE}, "GCE_VM_IP_PORT", {}),
        )
        for kind, place, sort, more in sorts:
            with self.subTest(sort):
                groups = Collection(kind, item, place)
                body = compute.NetworkEndpointGroup(name="one", network_endpoint_type=sort, **more)
                made = groups.made(body)
                self.assertEqual((made.network_endpoint_type, made.size), (sort, 0))
                self.assertIn("one", [group.name for group in groups.list(max_results=1)])
                wrong = "SERVERLESS" if sort != "SERVERLESS" else "GCE_VM_IP_PORT"
                misplaced = compute.NetworkEndpointGroup(name="wrong", network_endpoint_type=wrong, **more)
                self.refused(exceptions.BadRequest, partial(groups.insert, misplaced), "is only allowed in")
        found = self.everywhere(groups, "network_endpoint_groups")
        self.assertLessEqual(
            {"global", f"regions/{REGION}", f"zones/{ZONE}"}, {s for s, n in found.items() if n}
        )


class Operations(Case):
    def waited(self, operations, place, started):
        operations = client(operations)
        waited = operations.wait(**place, operation=started.name)
        self.assertEqual(waited.status, compute.Operation.Status.DONE)
        self.assertIn(started.name, [one.name for one in operations.list(**place)])
        missing = partial(operations.get, **place, operation="operation-none")
        self.refused(exceptions.NotFound, missing)

    def test_they_are_listed_and_waited_for(self):
        check = compute.TCPHealthCheck(port=80)
        check = compute.HealthCheck(name="waited", type_="TCP", tcp_health_check=check)
        places = both(compute.HealthChecksClient, compute.RegionHealthChecksClient, "health_check")
        for checks, kind in zip(
            places, (compute.GlobalOperationsClient, compute.RegionOperationsClient), strict=True
        ):
            started = checks.client.insert(**checks.place, health_check_resource=check)
            self.waited(kind, checks.place, started)
        groups = Collection(compute.NetworkEndpointGroupsClient, "network_endpoint_group", {"zone": ZONE})
        group = compute.NetworkEndpointGroup(name="waited")
        started = groups.client.insert(**groups.place, network_endpoint_group_resource=group)
        self.waited(compute.ZoneOperationsClient, groups.place, started)
