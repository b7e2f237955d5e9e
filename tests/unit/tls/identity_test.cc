#include "tls/identity.h"

#include <gmock/gmock.h>

#include "extproc/error.h"

namespace extproc::tls {
namespace {

PeerCertificate with(std::vector<std::string> dns_names, std::vector<std::string> uris) {
  return {.dns_names = std::move(dns_names), .uris = std::move(uris)};
}

TEST(AllowedNames, WithoutAnyAllAreLetIn) {
  EXPECT_TRUE(AllowedNames().allows({}));
  EXPECT_TRUE(AllowedNames(std::vector<std::string>{}).allows(with({"a"}, {})));
}

TEST(AllowedNames, OneOfThemIsEnough) {
  const AllowedNames allowed({"dns:a.example", "uri:urn:b"});
  EXPECT_TRUE(allowed.allows(with({"c", "a.example"}, {})));
  EXPECT_TRUE(allowed.allows(with({}, {"urn:c", "urn:b"})));
  EXPECT_FALSE(allowed.allows(with({"b.a.example", "a.example.b"}, {"urn:bb"})));
  EXPECT_FALSE(allowed.allows({}));
}

TEST(AllowedNames, OfDnsInAnyCaseOfUrisAsTheyAre) {
  const AllowedNames allowed({"dns:A.example", "uri:urn:B"});
  EXPECT_TRUE(allowed.allows(with({"a.EXAMPLE"}, {})));
  EXPECT_FALSE(allowed.allows(with({}, {"urn:b"})));
}

TEST(AllowedNames, AWildcardOfTheCertificateIsAName) {
  EXPECT_FALSE(AllowedNames({"dns:a.example"}).allows(with({"*.example"}, {})));
}

TEST(AllowedNames, ANameThatIsCutByANulIsAnother) {
  EXPECT_FALSE(
      AllowedNames({"dns:a.example"}).allows(with({std::string("a.example\0.evil", 15)}, {})));
}

TEST(AllowedNames, OfATrustDomainEveryIdentity) {
  const AllowedNames allowed({"spiffe://a.example/"});
  EXPECT_TRUE(allowed.allows(with({}, {"spiffe://a.example/ns/b"})));
  EXPECT_FALSE(allowed.allows(with({}, {"spiffe://a.example.evil/ns/b"})));
  EXPECT_FALSE(allowed.allows(with({}, {"spiffe://A.example/ns/b"})));
  EXPECT_FALSE(allowed.allows(with({"spiffe://a.example/ns/b"}, {})));
}

TEST(AllowedNames, OfATrustDomainNobodyWhoIsTwo) {
  const AllowedNames allowed({"spiffe://a.example/"});
  EXPECT_FALSE(allowed.allows(with({}, {"spiffe://a.example/b", "spiffe://a.example/c"})));
}

TEST(AllowedNames, ATextThatIsNoNameIsRefused) {
  for (const char* text : {"",
                           "a.example",
                           "dns:",
                           "uri:",
                           "spiffe://",
                           "spiffe:///",
                           "spiffe://a.example",
                           "spiffe://a.example/b",
                           "spiffe://a/b/",
                           "DNS:a",
                           "dns:a,dns:b",
                           "dns:a ",
                           " dns:a",
                           "dns:a.",
                           "dns:*.a",
                           "spiffe://A/",
                           "spiffe://*/",
                           "spiffe://a:80/",
                           "spiffe://a@b/",
                           "uri:a b",
                           "uri:a\n"}) {
    EXPECT_THROW(AllowedNames({text}), Error) << text;
  }
}

TEST(NamesOf, AreWrittenAsTheyAreAllowed) {
  EXPECT_EQ(names_of(with({"a", "b"}, {"urn:c"}), 100), "uri:urn:c, dns:a, dns:b");
  EXPECT_EQ(names_of({}, 100), "none");
}

TEST(NamesOf, AreBounded) {
  EXPECT_LE(names_of(with(std::vector<std::string>(1'000, "name"), {}), 100).size(), 110U);
  EXPECT_LE(names_of(with({std::string(100'000, 'a')}, {}), 100).size(), 110U);
}

}  // namespace
}  // namespace extproc::tls
