package admin

// helpText has places for addresses, IDs that are really there, and phases.
const helpText = `The simulated cloud: an organization with environments, and in them Kafka clusters, networks,
what connects these, and Schema Registry clusters.

The cloud itself, as the operator sees it; KEY and SECRET are the API key it accepts:

  curl -u KEY:SECRET '{cloud}/cmk/v2/clusters?environment={environment}&page_size=2'
  curl -u KEY:SECRET '{cloud}/networking/v1/peerings?environment={environment}&status.phase=READY'
  curl -u KEY:SECRET '{cloud}/networking/v1/networks?environment={environment}'
  curl -u KEY:SECRET '{cloud}/srcm/v3/clusters?environment={environment}'
  curl -u KEY:SECRET '{cloud}/networking/v1/transit-gateway-attachments?environment={environment}'
  curl -u KEY:SECRET '{cloud}/networking/v1/private-link-accesses?environment={environment}'
  curl -u KEY:SECRET '{cloud}/org/v2/environments'

This interface shows the inventory and changes it while it runs. It needs no key.

  # The whole as one document, and back again, replacing everything:
  curl {admin}/inventory -o inventory.json
  curl {admin}/inventory -X PUT --data-binary @inventory.json

  # One object. /peerings, /networks, /environments and the other names in the document go like
  # /clusters. POST takes the ID from the file:
  curl {admin}/clusters/{cluster} -o cluster.json
  curl {admin}/clusters/{cluster} -X PUT --data-binary @cluster.json
  curl {admin}/clusters -X POST --data-binary @cluster.json
  curl {admin}/clusters/{cluster} -X DELETE

  # A phase, in the query or in the body:
  curl '{admin}/clusters/{cluster}/phase?phase=FAILED' -X PATCH
  curl {admin}/peerings/{peering}/phase -X PATCH -d '{"phase":"DISCONNECTED"}'

  # What the cloud was asked, newest last, and counting again:
  curl {admin}/calls
  curl {admin}/calls -X DELETE

  # Strict is the contract to the letter, wire what is seen in the field:
  curl {admin}/mode
  curl '{admin}/mode?mode=wire' -X PUT

  # The catalogue of faults, what is set and how often each has happened:
  curl {admin}/faults

  # The next three listings of clusters fail; without op: of anything, without n: one:
  curl '{admin}/faults?fault=bad-gateway&n=3&op=listCmkV2Clusters' -X POST

  # One request in ten fails, drawn by a seed; without faults: any that is not silent:
  curl '{admin}/chaos?rate=0.1&seed=7&faults=truncated-json,reset-in-body' -X PUT
  curl {admin}/chaos -X DELETE

  # No more faults of any sort; ?counts=true sets the counts to 0 as well:
  curl {admin}/faults -X DELETE

Objects have the shape the cloud sends; links, names and times may be left out.
{phases}A request that fails says why and changes nothing. ?unchecked=true lets words pass
that the contract does not have, such as a phase of tomorrow.
`
