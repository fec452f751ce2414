package awssim

import "slices"

func userInGroup(in bool) func(*call) (any, error) {
	return change(iamUser, func(k *call, i *iamIdentity) error {
		g, err := k.identityOf(iamGroup, view{})
		if err != nil {
			return err
		}
		i.groups = slices.DeleteFunc(i.groups, func(name string) bool { return name == g.name })
		if in {
			i.groups = append(i.groups, g.name)
		}
		return nil
	})
}

func groupsOfUser(k *call) (any, error) {
	i, err := k.identityOf(iamUser, k.view())
	if err != nil {
		return nil, err
	}
	var list []*iamIdentity
	for _, name := range i.groups {
		if g := k.state.identities.get("Group/"+name, k.view()); g != nil {
			list = append(list, g)
		}
	}
	shown, more, err := iamPage(k, list, func(g *iamIdentity) string { return g.name })
	if err != nil {
		return nil, err
	}
	return written{wire: func(e *encoder) {
		memberList(e, "Groups", shown, func(e *encoder, g *iamIdentity) { g.write(e) })
		more(e)
	}}, nil
}

func getGroup(k *call) (any, error) {
	g, err := k.identityOf(iamGroup, k.view())
	if err != nil {
		return nil, err
	}
	users := slices.DeleteFunc(k.identities(iamUser), func(u *iamIdentity) bool { return !slices.Contains(u.groups, g.name) })
	shown, more, err := iamPage(k, users, func(u *iamIdentity) string { return u.name })
	if err != nil {
		return nil, err
	}
	return written{wire: func(e *encoder) {
		e.begin("Group")
		g.write(e)
		e.end("Group")
		memberList(e, "Users", shown, func(e *encoder, u *iamIdentity) { u.write(e) })
		more(e)
	}}, nil
}
