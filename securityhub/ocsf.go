package securityhub

import (
	"time"

	"dera.example/dera"
)

// OCSF is a finding as a Compliance Finding (class 2003) of the Open Cybersecurity Schema
// Framework, version 1.6, which Security Hub V2 has.
//
// https://schema.ocsf.io/1.6.0/classes/compliance_finding
type OCSF struct {
	ActivityID   int             `json:"activity_id"`
	ActivityName string          `json:"activity_name"`
	CategoryName string          `json:"category_name"`
	CategoryUID  int             `json:"category_uid"`
	ClassName    string          `json:"class_name"`
	ClassUID     int             `json:"class_uid"`
	TypeName     string          `json:"type_name"`
	TypeUID      int             `json:"type_uid"`
	Time         int64           `json:"time"`
	TimeDT       string          `json:"time_dt"`
	Severity     string          `json:"severity"`
	SeverityID   int             `json:"severity_id"`
	Status       string          `json:"status"`
	StatusID     int             `json:"status_id"`
	Message      string          `json:"message"`
	Metadata     ocsfMetadata    `json:"metadata"`
	Cloud        ocsfCloud       `json:"cloud"`
	FindingInfo  ocsfFindingInfo `json:"finding_info"`
	Compliance   ocsfCompliance  `json:"compliance"`
	Remediation  ocsfRemediation `json:"remediation"`
	Resources    []ocsfResource  `json:"resources"`
	Unmapped     map[string]any  `json:"unmapped"`
}

type ocsfMetadata struct {
	Version   string      `json:"version"`
	UID       string      `json:"uid"`
	EventCode string      `json:"event_code"`
	Profiles  []string    `json:"profiles"`
	Product   ocsfProduct `json:"product"`
}

type ocsfProduct struct {
	Name       string `json:"name"`
	UID        string `json:"uid"`
	VendorName string `json:"vendor_name"`
	Version    string `json:"version"`
}

type ocsfCloud struct {
	Provider string      `json:"provider"`
	Account  ocsfAccount `json:"account"`
	Region   string      `json:"region"`
}

type ocsfAccount struct {
	UID    string `json:"uid"`
	Type   string `json:"type"`
	TypeID int    `json:"type_id"`
}

type ocsfFindingInfo struct {
	UID            string   `json:"uid"`
	Title          string   `json:"title"`
	Desc           string   `json:"desc"`
	Types          []string `json:"types"`
	CreatedTime    int64    `json:"created_time"`
	CreatedTimeDT  string   `json:"created_time_dt"`
	FirstSeenTime  int64    `json:"first_seen_time"`
	LastSeenTime   int64    `json:"last_seen_time"`
	ModifiedTime   int64    `json:"modified_time"`
	ModifiedTimeDT string   `json:"modified_time_dt"`
}

type ocsfCompliance struct {
	Control      string   `json:"control"`
	Requirements []string `json:"requirements,omitempty"`
	Standards    []string `json:"standards,omitempty"`
	Status       string   `json:"status"`
	StatusID     int      `json:"status_id"`
}

type ocsfRemediation struct {
	Desc       string   `json:"desc"`
	References []string `json:"references,omitempty"`
}

type ocsfResource struct {
	UID            string `json:"uid"`
	Name           string `json:"name,omitempty"`
	Type           string `json:"type"`
	Region         string `json:"region,omitempty"`
	CloudPartition string `json:"cloud_partition"`
}

// coded is a word of OCSF with its number.
type coded struct {
	id   int
	name string
}

func ocsfSeverity(s dera.Severity) coded {
	switch s {
	case dera.Critical:
		return coded{5, "Critical"}
	case dera.High:
		return coded{4, "High"}
	case dera.Medium:
		return coded{3, "Medium"}
	case dera.Low:
		return coded{2, "Low"}
	}
	return coded{0, "Unknown"}
}

// ToOCSF writes a finding. Its status is New, In Progress while a remediation is to come or was
// made, or Resolved; never Suppressed, since an exemption expires.
func ToOCSF(f Finding) OCSF {
	activity, status, compliance := coded{1, "Create"}, coded{1, "New"}, coded{3, "Fail"}
	if f.LastSeen.After(f.FirstSeen) {
		activity = coded{2, "Update"}
	}
	if f.Remediation != "" {
		status = coded{2, "In Progress"}
	}
	switch f.State {
	case dera.FindingResolved:
		activity, status, compliance = coded{3, "Close"}, coded{4, "Resolved"}, coded{1, "Pass"}
	case dera.FindingUnknown:
		compliance = coded{2, "Warning"}
	case dera.FindingOpen:
	}
	at, severity := later(f.LastSeen, f.ResolvedAt), ocsfSeverity(f.Severity)
	const class = 2003
	out := OCSF{
		ActivityID: activity.id, ActivityName: activity.name, CategoryName: "Findings", CategoryUID: 2, ClassName: "Compliance Finding", ClassUID: class,
		TypeName: "Compliance Finding: " + activity.name, TypeUID: class*100 + activity.id, Time: at.UnixMilli(), TimeDT: dt(at),
		Severity: severity.name, SeverityID: severity.id, Status: status.name, StatusID: status.id, Message: f.Title,
		Metadata: ocsfMetadata{
			Version: "1.6.0", UID: f.id(), EventCode: f.Finding.Control, Profiles: []string{"cloud", "datetime"},
			Product: ocsfProduct{"dera", "dera", "dera", f.Version},
		},
		Cloud: ocsfCloud{"AWS", ocsfAccount{f.Account, "AWS Account", 10}, f.region()},
		FindingInfo: ocsfFindingInfo{
			UID: f.id(), Title: f.Title, Desc: f.explained(), Types: []string{"Software and Configuration Checks"},
			CreatedTime: f.FirstSeen.UnixMilli(), CreatedTimeDT: dt(f.FirstSeen), FirstSeenTime: f.FirstSeen.UnixMilli(),
			LastSeenTime: f.LastSeen.UnixMilli(), ModifiedTime: at.UnixMilli(), ModifiedTimeDT: dt(at),
		},
		Compliance:  ocsfCompliance{Control: f.Finding.Control, Status: compliance.name, StatusID: compliance.id},
		Remediation: ocsfRemediation{Desc: f.Fix},
		Resources:   []ocsfResource{{UID: string(f.Resource), Name: f.ResourceName, Type: f.ResourceType, Region: f.region(), CloudPartition: f.Partition}},
		Unmapped:    map[string]any{"dera": map[string]string{"finding": f.ID, "key": f.Key, "decision": f.Disposition.String(), "remediation": f.Remediation, "owner": f.Owner}},
	}
	seen := map[string]bool{}
	for _, r := range f.Refs {
		out.Compliance.Requirements = append(out.Compliance.Requirements, r.Standard+" "+r.ID)
		if !seen[r.Standard] {
			seen[r.Standard] = true
			out.Compliance.Standards = append(out.Compliance.Standards, r.Standard)
		}
		if r.URL != "" {
			out.Remediation.References = append(out.Remediation.References, r.URL)
		}
	}
	return out
}

func dt(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }
