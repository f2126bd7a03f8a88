"""Certificates of Compute Engine and the proxies that serve them: google-cloud-compute."""

from functools import partial

from google.api_core import exceptions
from google.cloud import compute_v1 as compute

from compute_support import GLOBAL, REGIONAL, Case, both, url
from emulated import CERTIFICATE, KEY, PROJECT, REGION


class Certificates(Case):
    def setUp(self):
        self.collections = both(
            compute.SslCertificatesClient, compute.RegionSslCertificatesClient, "ssl_certificate"
        )
        self.proxies = both(
            compute.TargetHttpsProxiesClient, compute.RegionTargetHttpsProxiesClient, "target_https_proxy"
        )

    def own(self, name):
        return compute.SslCertificate(name=name, certificate=CERTIFICATE, private_key=KEY)

    def managed(self, name, *domains):
        managed = compute.SslCertificateManagedSslCertificate(domains=domains)
        return compute.SslCertificate(name=name, type_="MANAGED", managed=managed)

    def proxy(self, name, place, *certificates):
        links = [url(f"{place}/sslCertificates/{certificate}") for certificate in certificates]
        return compute.TargetHttpsProxy(
            name=name, url_map=url(f"{place}/urlMaps/map"), ssl_certificates=links
        )

    def test_a_life(self):
        for certificates in self.collections:
            with self.subTest(certificates.place):
                made = self.a_life(certificates, self.own("alife"))
                self.assertEqual((made.type_, made.private_key), ("SELF_MANAGED", ""))
                self.assertEqual(made.certificate, CERTIFICATE)
                self.assertTrue(made.expire_time)
                certificates.delete("alife")

    def test_a_rotation(self):
        # Made beside, attached; then the old one is detached and deleted.
        for certificates, proxies, place in zip(
            self.collections, self.proxies, (GLOBAL, REGIONAL), strict=True
        ):
            with self.subTest(place):
                certificates.insert(self.own("old"))
                made = self.a_life(proxies, self.proxy("rotated", place, "old"))
                certificates.insert(self.own("new"))
                in_use = partial(certificates.delete, "old")
                reason = self.refused(exceptions.BadRequest, in_use, "is already being used by", "rotated")
                self.assertEqual(reason, "resourceInUseByAnotherResource")

                both_of_them = self.proxy("", place, "new", "old").ssl_certificates
                change = compute.TargetHttpsProxy(ssl_certificates=both_of_them, fingerprint=made.fingerprint)
                proxies.patch("rotated", change)
                self.assertEqual(self.served(proxies), ["new", "old"])
                stale = self.refused(exceptions.PreconditionFailed, partial(proxies.patch, "rotated", change))
                self.assertEqual(stale, "conditionNotMet")

                self.set_certificates(proxies, both_of_them[:1])
                self.assertEqual(self.served(proxies), ["new"])
                self.refused(exceptions.BadRequest, partial(self.set_certificates, proxies, []), "At least 1")
                certificates.delete("old")
                proxies.delete("rotated")
                certificates.delete("new")

    def served(self, proxies):
        return [link.rsplit("/", 1)[-1] for link in proxies.get("rotated").ssl_certificates]

    def set_certificates(self, proxies, links):
        request = {"ssl_certificates": links}
        scope = "region_" if "region" in proxies.place else ""
        body = f"{scope}target_https_proxies_set_ssl_certificates_request_resource"
        proxies.done(proxies.client.set_ssl_certificates({**proxies.of("rotated"), body: request}))

    def test_a_managed_one_becomes_active_once_it_is_attached(self):
        certificates, proxies = self.collections[0], self.proxies[0]
        made = certificates.made(self.managed("issued", "a.example.com", "b.example.com"))
        self.assertEqual((made.type_, made.managed.status), ("MANAGED", "PROVISIONING"))
        self.assertEqual(
            dict(made.managed.domain_status), dict.fromkeys(made.managed.domains, "PROVISIONING")
        )
        proxies.insert(self.proxy("issues", GLOBAL, "issued"))
        issued = certificates.get("issued")
        self.assertEqual(issued.managed.status, "ACTIVE")
        self.assertEqual(dict(issued.managed.domain_status), dict.fromkeys(made.managed.domains, "ACTIVE"))
        self.assertTrue(issued.expire_time)

    def test_a_certificate_map_goes_before_certificates(self):
        proxies = self.proxies[0]
        self.collections[0].insert(self.own("mapped"))
        proxies.insert(self.proxy("mapped", GLOBAL, "mapped"))
        name = f"//certificatemanager.googleapis.com/projects/{PROJECT}/locations/global/certificateMaps/edge"
        request = {
            **proxies.of("mapped"),
            "target_https_proxies_set_certificate_map_request_resource": {"certificate_map": name},
        }
        proxies.done(proxies.client.set_certificate_map(request))
        self.assertEqual(proxies.get("mapped").certificate_map, name)

    def test_refusals(self):
        wildcard = partial(self.collections[0].insert, self.managed("wrong", "*.example.com"))
        self.refused(exceptions.BadRequest, wildcard, "Wildcard domains not supported")
        regional = partial(self.collections[1].insert, self.managed("wrong", "a.example.com"))
        self.refused(exceptions.BadRequest, regional)
        for certificates, proxies, place in zip(
            self.collections, self.proxies, (GLOBAL, REGIONAL), strict=True
        ):
            broken = compute.SslCertificate(name="wrong", certificate="none", private_key=KEY)
            self.refused(exceptions.BadRequest, partial(certificates.insert, broken))
            self.refused(exceptions.NotFound, partial(proxies.insert, self.proxy("wrong", place, "none")))

    def test_everywhere(self):
        for certificates, proxies, place in zip(
            self.collections, self.proxies, (GLOBAL, REGIONAL), strict=True
        ):
            certificates.insert(self.own("everywhere"))
            proxies.insert(self.proxy("everywhere", place, "everywhere"))
        for collection, field in (
            (self.collections[0], "ssl_certificates"),
            (self.proxies[0], "target_https_proxies"),
        ):
            found = self.everywhere(collection, field)
            self.assertIn("everywhere", found["global"])
            self.assertIn("everywhere", found[f"regions/{REGION}"])
