// SPDX-License-Identifier: Apache-2.0

// Command dashboard prints the Grafana dashboard. `make manifests` writes it to
// config/grafana.
package main

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/common"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/prometheus"
	"github.com/grafana/grafana-foundation-sdk/go/stat"
	"github.com/grafana/grafana-foundation-sdk/go/timeseries"
	"github.com/grafana/grafana-foundation-sdk/go/units"
)

// cluster selects the series of the clusters that are chosen above the panels, source those of the
// chosen sources, and job those of managers. Series without the label cluster count as chosen.
const (
	cluster = `cluster=~"$cluster"`
	source  = cluster + `,namespace=~"$namespace",name=~"$source"`
	job     = `and on (cluster, job, instance) ccloud_inventory_build_info{` + cluster + `}`
)

// datasource is the one chosen above the panels.
var datasource = common.DataSourceRef{Type: cog.ToPtr("prometheus"), Uid: cog.ToPtr("$datasource")}

func main() {
	built, err := build()
	if err == nil {
		encoder := json.NewEncoder(os.Stdout)
		encoder.SetEscapeHTML(false)
		encoder.SetIndent("", "  ")
		err = encoder.Encode(built)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "dashboard:", err)
		os.Exit(1)
	}
}

// build makes a dashboard of the classic schema, which every Grafana imports and every sidecar
// takes; that of dashboardv2 is for Grafana 12 and later.
func build() (dashboard.Dashboard, error) { //nolint:staticcheck // see above
	made := dashboard.NewDashboardBuilder("Inventory operator") //nolint:staticcheck // see above
	return made.Uid("inventory-operator").
		Description("What inventory-operator mirrors from Confluent Cloud, and how it fares.").
		Tags([]string{"kubernetes", "kafka", "confluent-cloud"}).
		Refresh("1m").
		Time("now-6h", "now").
		Readonly().
		WithVariable(dashboard.NewDatasourceVariableBuilder("datasource").Label("Data source").Type("prometheus")).
		WithVariable(variable("cluster", "Cluster", `label_values(ccloud_inventory_build_info, cluster)`)).
		WithVariable(variable("namespace", "Namespace", `label_values(ccloud_inventory_source_ready{`+cluster+`}, namespace)`)).
		WithVariable(variable("source", "Source", `label_values(ccloud_inventory_source_ready{`+cluster+`,namespace=~"$namespace"}, name)`)).
		WithRow(dashboard.NewRowBuilder("Now")).
		WithPanel(number("Sources ready", `sum(ccloud_inventory_source_ready{`+source+`})`, nil)).
		WithPanel(number("Sources not ready", `count(ccloud_inventory_source_ready{`+source+`,reason!="Suspended"} == 0) or vector(0)`, alarming)).
		WithPanel(number("Discoveries not ready", `count(ccloud_inventory_discovery_ready{`+cluster+`,namespace=~"$namespace",reason!="Suspended"} == 0) or vector(0)`, alarming)).
		WithPanel(number("Kinds stale", `count(time() - ccloud_inventory_source_stale_timestamp_seconds{`+source+`} > 0) or vector(0)`, alarming)).
		WithPanel(number("Prunes held", `sum(ccloud_inventory_prune_held{`+source+`})`, alarming)).
		WithPanel(number("Leaders", `sum(leader_election_master_status{`+cluster+`,name=~"inventory-operator[.]ccloud[.]dev.*"})`, nil)).
		WithPanel(number("Managers", `count(ccloud_inventory_build_info{`+cluster+`})`, nil)).
		WithRow(dashboard.NewRowBuilder("What is mirrored")).
		WithPanel(graph("Observations", "Whose cloud object is listed.", units.Short,
			query(`sum by (kind, phase) (ccloud_inventory_observations{`+source+`})`, "{{kind}} {{phase}}"))).
		WithPanel(graph("Time since the last whole sync", "Of every mirrored kind of a source.", units.Seconds,
			query(`time() - ccloud_inventory_source_last_success_timestamp_seconds{`+source+`}`, "{{namespace}}/{{name}}"))).
		WithRow(dashboard.NewRowBuilder("Failed or missing in the cloud")).
		WithPanel(number("Clusters failed", in("KafkaCluster", "FAILED"), alarming)).
		WithPanel(number("Peerings failed or disconnected", in("Peering", "FAILED|DISCONNECTED"), alarming)).
		WithPanel(number("Transit gateway attachments failed or disconnected", in("TransitGatewayAttachment", "FAILED|DISCONNECTED|ERROR"), alarming)).
		WithPanel(number("Private link accesses failed", in("PrivateLinkAccess", "FAILED"), alarming)).
		WithPanel(number("Networks failed", in("Network", "FAILED"), alarming)).
		WithPanel(number("Schema Registries failed", in("SchemaRegistry", "FAILED"), alarming)).
		WithPanel(number("Objects missing", `sum(ccloud_inventory_observations_missing{`+source+`}) or vector(0)`, alarming)).
		WithPanel(graph("Failed or disconnected", "By source.", units.Short,
			query(`sum by (cluster, namespace, name, kind, phase) (ccloud_inventory_observations{`+source+`,phase=~"FAILED|DISCONNECTED|ERROR"})`, "{{namespace}}/{{name}} {{kind}} {{phase}}"))).
		WithPanel(graph("Missing", "By source; environments by discovery. Absent from the last complete listing.", units.Short,
			query(`sum by (cluster, namespace, name, kind) (ccloud_inventory_observations_missing{`+source+`})`, "{{namespace}}/{{name}} {{kind}}"))).
		WithRow(dashboard.NewRowBuilder("Syncs and the cloud")).
		WithPanel(graph("Syncs", "By result, a minute.", units.Short,
			query(`60 * sum by (kind, result) (rate(ccloud_inventory_sync_total{`+cluster+`}[$__rate_interval]))`, "{{kind}} {{result}}"))).
		WithPanel(graph("Duration of a listing", "All its pages, the wait for the budget included.", units.Seconds,
			query(`histogram_quantile(0.5, sum by (kind, le) (rate(ccloud_inventory_sync_duration_seconds_bucket{`+cluster+`}[$__rate_interval])))`, "{{kind}} median"),
			query(`histogram_quantile(0.99, sum by (kind, le) (rate(ccloud_inventory_sync_duration_seconds_bucket{`+cluster+`}[$__rate_interval])))`, "{{kind}} 99 %"))).
		WithPanel(graph("Requests to the cloud", "By HTTP status, a second; 0 is no answer.", units.RequestsPerSecond,
			query(`sum by (operation, code) (rate(ccloud_inventory_cloud_requests_total{`+cluster+`}[$__rate_interval]))`, "{{operation}} {{code}}"))).
		WithPanel(graph("Duration of a request", "", units.Seconds,
			query(`histogram_quantile(0.99, sum by (operation, le) (rate(ccloud_inventory_cloud_request_duration_seconds_bucket{`+cluster+`}[$__rate_interval])))`, "{{operation}} 99 %"))).
		WithPanel(graph("Requests left in the rate limit", "As the cloud told last.", units.Short,
			query(`ccloud_inventory_cloud_rate_limit_remaining{`+source+`}`, "{{namespace}}/{{name}}"))).
		WithPanel(graph("Writes of observations", "A second. None while nothing changes in the cloud.", units.WritesPerSecond,
			query(`sum by (kind, verb, result) (rate(ccloud_inventory_writes_total{`+cluster+`}[$__rate_interval]))`, "{{kind}} {{verb}} {{result}}"))).
		WithRow(dashboard.NewRowBuilder("Managers")).
		WithPanel(graph("Memory", "Resident.", units.BytesIEC,
			query(`process_resident_memory_bytes `+job, "{{instance}}"))).
		WithPanel(graph("Processor", "Cores.", units.Short,
			query(`rate(process_cpu_seconds_total[$__rate_interval]) `+job, "{{instance}}"))).
		WithPanel(graph("Sources waiting for a worker", "", units.Short,
			query(`workqueue_depth{controller="inventorysource"} `+job, "{{instance}}"))).
		WithPanel(graph("Errors of the API server", "Reconciles that ended with one, a second.", units.Short,
			query(`rate(controller_runtime_reconcile_errors_total{controller="inventorysource"}[$__rate_interval]) `+job, "{{instance}}"))).
		Build()
}

// in counts the objects of a kind that have one of these phases.
func in(kind, phases string) string {
	return `sum(ccloud_inventory_observations{` + source + `,kind="` + kind + `",phase=~"` + phases + `"}) or vector(0)`
}

// variable lets people choose among the values of a label, all at first.
func variable(name, label, values string) *dashboard.QueryVariableBuilder {
	return dashboard.NewQueryVariableBuilder(name).Label(label).Datasource(datasource).
		Query(dashboard.StringOrMap{String: &values}).
		Refresh(dashboard.VariableRefreshOnTimeRangeChanged).
		Multi(true).IncludeAll(true).AllValue(".*").
		Current(dashboard.VariableOption{
			Text:  dashboard.StringOrArrayOfString{ArrayOfString: []string{"All"}},
			Value: dashboard.StringOrArrayOfString{ArrayOfString: []string{"$__all"}},
		})
}

func query(expression, legend string) *prometheus.DataqueryBuilder {
	return prometheus.NewDataqueryBuilder().Datasource(datasource).Expr(expression).LegendFormat(legend).Range()
}

// alarming is red from 1 on.
var alarming = dashboard.NewThresholdsConfigBuilder().Mode(dashboard.ThresholdsModeAbsolute).Steps([]dashboard.Threshold{
	{Color: "green"}, {Color: "red", Value: cog.ToPtr(1.0)},
})

func number(title, expression string, thresholds *dashboard.ThresholdsConfigBuilder) *stat.PanelBuilder {
	panel := stat.NewPanelBuilder().Title(title).Datasource(datasource).Span(3).Height(4).
		ReduceOptions(common.NewReduceDataOptionsBuilder().Calcs([]string{"lastNotNull"})).
		WithTarget(prometheus.NewDataqueryBuilder().Datasource(datasource).Expr(expression).Instant())
	if thresholds != nil {
		panel.Thresholds(thresholds)
	}
	return panel
}

func graph(title, description, unit string, queries ...*prometheus.DataqueryBuilder) *timeseries.PanelBuilder {
	panel := timeseries.NewPanelBuilder().Title(title).Description(description).Datasource(datasource).Unit(unit).Span(12).Height(8).Min(0)
	for _, q := range queries {
		panel.WithTarget(q)
	}
	return panel
}
