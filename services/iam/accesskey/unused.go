package accesskey

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/services/iam"
)

// unusedDays is after how many days a key counts as unused (CIS AWS Foundations 5.0.0,
// 1.11).
const unusedDays = 45

// Unused finds active access keys that nobody uses.
func Unused() control.Control {
	return control.OnSetting(Type(), control.SettingSpec[Key]{
		Path: "status", Applies: (*Key).inUse,
		Meta: control.Meta{
			ID:         "iam-accesskey-unused",
			Title:      "Access key is active and was not used for 45 days",
			Severity:   dera.Medium,
			Why:        "An access key does not expire. One that nobody uses lies forgotten on disks, in repositories and in backups of machines, and whoever finds it is the user.",
			Fix:        "The key is made inactive, not deleted: it can be made active again with the secret that its owner has.",
			Complexity: "low",
			Stops:      true,
			Cases: []control.Case{
				{When: "an active key was not used for 45 days, or never in the 45 days or more since it was made", Disposition: dera.Auto, Because: "IAM records the last use within hours, and one call makes the key active again"},
				{When: "the same, and the usage ledger has a call of the user in the last 45 days although the user has no other active key", Disposition: dera.Review, Because: "the key may have been used after all"},
				{When: "the same, and the name or a tag of its user speaks of backups, recovery, emergencies or rare jobs", Disposition: dera.Review, Because: "it is used rarely, and when it is, it is needed"},
			},
			Refs: []control.Ref{
				iam.CIS("1.11"), iam.CIS7("2.11"), iam.SecurityHub("IAM.8, IAM.22"), iam.ConfigRule("IAM_USER_UNUSED_CREDENTIALS_CHECK"),
				{Standard: "IAM Access Analyzer", ID: "UnusedIAMUserAccessKey", URL: "https://docs.aws.amazon.com/IAM/latest/UserGuide/access-analyzer-findings.html"},
				iam.NIST("AC-2, AC-2(1), AC-2(3), AC-3, AC-3(7), AC-3(15), AC-6"), iam.PCI("8.2.6"),
			},
			Owner:    "dera maintainers",
			ReviewBy: "2027-11-01",
		},
		Start: func(k *Key, _ control.Settings) (dera.Disposition, string) {
			why := fmt.Sprintf("The key was made %d days ago and never used.", k.Age)
			if k.Service != "" {
				why = fmt.Sprintf("It was used last %d days ago, with %s; it was made %d days ago.", k.Idle, k.Service, k.Age)
			}
			if k.unexplained() {
				return dera.Review, fmt.Sprintf("%s But a call of the user is recorded %d days ago, and it has no other active key.", why, *k.Called)
			}
			if word := k.rare(); word != "" {
				return dera.Review, why + " The name or a tag of the user says " + word + ": it may be for something that is done rarely."
			}
			return dera.Auto, why
		},
	})
}

// inUse says why an active key is not one that nobody uses; "" for an inactive one too,
// which is as it should be.
func (k *Key) inUse() string {
	switch {
	case k.Status != "" && k.Status != Active && k.Status != Inactive:
		return "the key is " + k.Status
	case k.Status == Active && k.Idle < unusedDays:
		return fmt.Sprintf("the key was used, or made, less than %d days ago", unusedDays)
	}
	return ""
}

// unexplained reports whether a call of the user is recorded that the last use of the key
// does not show, lately, and that no other key of the user explains. A day is left for
// the two clocks.
func (k *Key) unexplained() bool {
	return k.Called != nil && *k.Called < unusedDays && *k.Called+1 < k.Idle && k.Others == 0
}

// rare is a word of the user's name or tags that speaks of what is done rarely, or "".
func (k *Key) rare() string {
	texts := []string{k.User}
	for key, value := range k.Tags {
		texts = append(texts, key, value)
	}
	slices.Sort(texts)
	for _, text := range texts {
		for word := range strings.FieldsFuncSeq(text, func(r rune) bool { return !unicode.IsLetter(r) }) {
			lower := strings.ToLower(word)
			if slices.ContainsFunc(rareWords(), func(w string) bool { return strings.Contains(lower, w) }) || saysDR(word) {
				return lower
			}
		}
	}
	return ""
}

// saysDR reports whether a word is dr, or has DR or Dr as a word of its own, as in
// prodDRUser.
func saysDR(word string) bool {
	list := []rune(word)
	for i := range len(list) - 1 {
		if list[i] != 'D' || i > 0 && unicode.IsUpper(list[i-1]) {
			continue
		}
		next := i + 2 // behind Dr, or at the capital that begins the word behind DR
		switch end := next == len(list); {
		case list[i+1] == 'r' && (i > 0 || end) && (end || unicode.IsUpper(list[next])):
			return true
		case list[i+1] == 'R' && (end || unicode.IsUpper(list[next]) && next+1 < len(list) && unicode.IsLower(list[next+1])):
			return true
		}
	}
	return word == "dr"
}

// rareWords are parts of words.
func rareWords() []string {
	return []string{
		"annual", "archive", "audit", "backup", "breakglass", "continuity", "disaster", "emergenc", "failover", "glass", "incident", "migrat", "quarter", "recover", "restor", "season", "standby", "year",
	}
}
