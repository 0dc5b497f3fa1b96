package cloudsim

import "fmt"

// site is a region of a cloud with its zones.
type site struct {
	cloud, region string
	zones         []string
}

// sites lists real regions of each cloud, with zone IDs as each cloud writes them.
var sites = map[string][]site{
	"AWS": {
		awsSite("us-east-1", "use1", 1, 2, 4), awsSite("us-east-2", "use2", 1, 2, 3),
		awsSite("us-west-2", "usw2", 1, 2, 3), awsSite("eu-west-1", "euw1", 1, 2, 3),
		awsSite("eu-central-1", "euc1", 1, 2, 3), awsSite("ap-southeast-2", "apse2", 1, 2, 3),
	},
	"GCP": {
		gcpSite("us-central1", "abc"), gcpSite("us-east4", "abc"), gcpSite("us-west1", "abc"),
		gcpSite("europe-west1", "bcd"), gcpSite("europe-west3", "abc"), gcpSite("asia-southeast1", "abc"),
	},
	"AZURE": {
		azureSite("eastus"), azureSite("eastus2"), azureSite("westus2"),
		azureSite("westeurope"), azureSite("northeurope"), azureSite("southeastasia"),
	},
}

func awsSite(region, short string, zones ...int) site {
	s := site{cloud: "AWS", region: region}
	for _, z := range zones {
		s.zones = append(s.zones, fmt.Sprintf("%s-az%d", short, z))
	}
	return s
}

func gcpSite(region, zones string) site {
	s := site{cloud: "GCP", region: region}
	for _, z := range zones {
		s.zones = append(s.zones, region+"-"+string(z))
	}
	return s
}

func azureSite(region string) site {
	return site{cloud: "AZURE", region: region, zones: []string{"1", "2", "3"}}
}
