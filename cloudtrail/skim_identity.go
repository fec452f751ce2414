package cloudtrail

func (d *Identity) skim(raw []byte, i int) (end int, twice bool, err error) {
	*d = Identity{}
	if i == len(raw) {
		return i, false, errShort
	}
	if raw[i] != '{' {
		end, err = valueEnd(raw, i)
		return end, false, err
	}
	end, err = d.group(raw, i, &twice, inIdentity)
	return end, twice, err
}

// The objects of an identity, and their bits where they stand in another.
const (
	inIdentity = 1 << (iota + 8)
	inSession
	inBehalf
	inIssuer
	inAttributes
)

// group reads an object of the identity.
func (d *Identity) group(raw []byte, i int, twice *bool, object uint32) (int, error) {
	return members(raw, i, func(name []byte, at int) (int, error) {
		into, bit := d.member(object, name)
		if bit == 0 {
			return valueEnd(raw, at)
		}
		*twice = *twice || d.seen&bit != 0
		d.seen |= bit
		if into == nil && at < len(raw) && raw[at] == '{' {
			return d.group(raw, at, twice, bit)
		}
		end, err := valueEnd(raw, at)
		if err == nil && into != nil {
			*into = raw[at:end]
		}
		return end, err
	})
}

// member says where the value of a member of an object goes, and its bit; an
// object goes nowhere and has the bit of its kind.
func (d *Identity) member(object uint32, name []byte) (*[]byte, uint32) {
	switch object {
	case inIdentity:
		switch string(name) {
		case "type":
			return &d.Type, 1
		case "arn":
			return &d.ARN, 2
		case "accountId":
			return &d.Account, 4
		case "principalId":
			return &d.PrincipalID, 8
		case "invokedBy":
			return &d.InvokedBy, 16
		case "userName":
			return &d.UserName, 32
		case "identityProvider":
			return &d.Provider, 64
		case "sessionContext":
			return nil, inSession
		case "onBehalfOf":
			return nil, inBehalf
		}
	case inSession:
		switch string(name) {
		case "sessionIssuer":
			return nil, inIssuer
		case "attributes":
			return nil, inAttributes
		}
	case inIssuer:
		switch string(name) {
		case "arn":
			return &d.Issuer, 1 << 16
		case "type":
			return &d.IssuerType, 1 << 17
		}
	case inAttributes:
		if string(name) == "creationDate" {
			return &d.Created, 1 << 18
		}
	case inBehalf:
		switch string(name) {
		case "userId":
			return &d.BehalfUser, 1 << 19
		case "identityStoreArn":
			return &d.BehalfStore, 1 << 20
		}
	}
	return nil, 0
}
