package controller_test

import (
	"fmt"

	. "github.com/onsi/ginkgo/v2"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
)

var _ = eachOwner("zzdebug", func(under side) {
	It("x", func(ctx SpecContext) {
		s := newSubject(ctx, under, 3)
		s.create(ctx)
		s.pass(ctx)
		s.gone(0)
		s.gone(1)
		s.gone(2)
		for range 5 {
			s.sync(ctx)
			fmt.Println("next", s.next(ctx), s.read(ctx).GetGeneration())
		}
		s.annotate(ctx, v1alpha1.AnnotationApprovePrune, "0123456789ab")
		fmt.Println("next", s.next(ctx), s.read(ctx).GetGeneration())
		fmt.Println("asked", s.asked(func() { s.pass(ctx) }), s.read(ctx).GetGeneration(), s.clock.Now())
		fmt.Println(s.cloud.Calls()[len(s.cloud.Calls())-1])
	})
})
