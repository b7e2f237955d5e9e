#!/bin/bash
# What an image is made of, as SPDX 2.3 in JSON: sbom.sh FOLDER VERSION, from var/lib/dpkg/status.d in the FOLDER.
set -euo pipefail

root=$1 version=$2

# The value of a field of a package.
field() { sed -n "s/^$2: //p" "$1" | head -n 1; }

identifier() { tr --complement --squeeze 'A-Za-z0-9.' - <<<"$1" | sed 's/-$//'; }

# package IDENTIFIER NAME VERSION PURL
package() {
  printf '    { "SPDXID": "SPDXRef-%s", "name": "%s", "versionInfo": "%s", "downloadLocation": "NOASSERTION", "filesAnalyzed": false,\n' "$1" "$2" "$3"
  printf '      "externalRefs": [{ "referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": "%s" }] }' "$4"
}

depends=""
cat <<END
{
  "spdxVersion": "SPDX-2.3",
  "dataLicense": "CC0-1.0",
  "SPDXID": "SPDXRef-DOCUMENT",
  "name": "extproc-$version",
  "documentNamespace": "urn:extproc:image:$version:$(cat "$root"/var/lib/dpkg/status.d/* | sha256sum | cut --bytes=1-32)",
  "creationInfo": { "created": "$(date --utc --date="@${SOURCE_DATE_EPOCH:-$(date +%s)}" +%Y-%m-%dT%H:%M:%SZ)", "creators": ["Tool: extproc-sbom"] },
  "packages": [
END
package extproc extproc "$version" "pkg:generic/extproc@$version"
for status in "$root"/var/lib/dpkg/status.d/*; do
  name=$(field "$status" Package) of=$(field "$status" Version)
  id=debian-$(identifier "$name")
  printf ',\n'
  package "$id" "$name" "$of" "pkg:deb/debian/${name//+/%2B}@${of//+/%2B}?arch=$(field "$status" Architecture)"
  depends+=",
    { \"spdxElementId\": \"SPDXRef-extproc\", \"relationshipType\": \"DEPENDS_ON\", \"relatedSpdxElement\": \"SPDXRef-$id\" }"
done
cat <<END

  ],
  "relationships": [
    { "spdxElementId": "SPDXRef-DOCUMENT", "relationshipType": "DESCRIBES", "relatedSpdxElement": "SPDXRef-extproc" }$depends
  ]
}
END
