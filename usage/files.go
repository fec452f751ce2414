package usage

import (
	"cmp"
	"errors"
	"slices"

	"dera.example/dera/cloudtrail"
)

// find lists log and digest files of several paths, of which one may lie within
// another.
func find(paths []string) (cloudtrail.LogFiles, error) {
	var out cloudtrail.LogFiles
	for _, path := range paths {
		found, err := cloudtrail.FindLogs(path)
		if err != nil {
			return out, err
		}
		out.Logs, out.Digests = append(out.Logs, found.Logs...), append(out.Digests, found.Digests...)
		out.LeftOut, out.Failed = append(out.LeftOut, found.LeftOut...), append(out.Failed, found.Failed...)
	}
	if len(out.Logs)+len(out.Digests)+len(out.Failed) == 0 {
		return out, errors.New("find log files: the paths hold no file that can hold CloudTrail")
	}
	slices.SortStableFunc(out.Logs, func(a, b cloudtrail.LogFile) int { return cmp.Compare(a.Path, b.Path) })
	slices.Sort(out.Digests)
	out.Logs = slices.CompactFunc(out.Logs, func(a, b cloudtrail.LogFile) bool { return a.Path == b.Path })
	out.Digests = slices.Compact(out.Digests)
	return out, nil
}
