#!/usr/bin/env bash
#
# What one would write instead of the operator: list with curl, turn with jq, apply
# with kubectl, once for the objects and once more for their status. It joins nothing,
# prunes nothing and trusts every answer.
#
# Environment: CLOUD (URL), KEY (key:secret), ENVIRONMENT, NAMESPACE, SOURCE and its
# UID in OWNER, KUBECTL.
set -euo pipefail

# list PATH PAGE_SIZE: prints every object, one a line.
list() {
	local page next="$CLOUD/$1?environment=$ENVIRONMENT&page_size=$2"
	while [[ -n $next ]]; do
		page=$(curl -fsS -u "$KEY" "$next")
		jq -c '.data[]' <<<"$page"
		next=$(jq -r '.metadata.next // ""' <<<"$page")
	done
}

# observation KIND SPEC STATUS: turns objects into observations, SPEC and STATUS being
# what jq makes of them.
observation() {
	jq -c --arg kind "$1" --arg namespace "$NAMESPACE" --arg source "$SOURCE" --arg owner "$OWNER" \
		--arg environment "$ENVIRONMENT" '{
		apiVersion: "inventory.ccloud.dev/v1alpha1", kind: $kind,
		metadata: {name: .id, namespace: $namespace,
			labels: {"inventory.ccloud.dev/source": $source, "inventory.ccloud.dev/environment": $environment},
			ownerReferences: [{apiVersion: "inventory.ccloud.dev/v1alpha1", kind: "InventorySource",
				name: $source, uid: $owner, controller: true}]},
		spec: ({sourceRef: {name: $source}, environment: $environment} + '"$2"'),
		status: ({phase: .status.phase, displayName: .spec.display_name, resourceName: .metadata.resource_name,
			self: .metadata.self, createdAt: (.metadata.created_at | sub("\\.[0-9]+"; "")),
			updatedAt: (.metadata.updated_at | sub("\\.[0-9]+"; "")),
			network: (if .spec.network then {id: .spec.network.id} else null end)} + '"$3"'
			| with_entries(select(.value != null)))}'
}

{
	list cmk/v2/clusters 100 | observation KafkaClusterObservation '{clusterID: .id}' '{
		availability: .spec.availability, cloud: .spec.cloud, region: .spec.region, type: .spec.config.kind,
		cku: .status.cku, requestedCKU: .spec.config.cku, maxECKU: .spec.config.max_ecku, zones: .spec.config.zones,
		bootstrapServers: .spec.kafka_bootstrap_endpoint, httpEndpoint: .spec.http_endpoint,
		endpoints: ((.spec.endpoints // {}) | to_entries | map({accessPointID: .key,
			connectionType: .value.connection_type, bootstrapServers: .value.kafka_bootstrap_endpoint,
			httpEndpoint: .value.http_endpoint}))}'
	list networking/v1/peerings 1000 | observation PeeringObservation '{peeringID: .id}' '{
		kind: .spec.cloud.kind, region: .spec.cloud.customer_region,
		aws: (if .spec.cloud.kind == "AwsPeering" then {account: .spec.cloud.account, vpc: .spec.cloud.vpc,
			routes: .spec.cloud.routes, customerRegion: .spec.cloud.customer_region} else null end),
		errorCode: .status.error_code, errorMessage: .status.error_message}'
} >objects.json

"$KUBECTL" apply --server-side -f objects.json
"$KUBECTL" apply --server-side --subresource=status -f objects.json
