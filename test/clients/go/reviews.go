package main

import (
	"context"
	"fmt"
	"slices"

	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/utils/ptr"
)

// reviews asks who one is and what one may: as oneself, as another (impersonation), and with a requested token.
func reviews(ctx context.Context, config *rest.Config, namespace string) error {
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	if err := grant(ctx, client, namespace); err != nil {
		return err
	}
	request := &authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{ExpirationSeconds: ptr.To[int64](900)}}
	issued, err := client.CoreV1().ServiceAccounts(namespace).CreateToken(ctx, "reader", request, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	user := "system:serviceaccount:" + namespace + ":reader"
	impersonating := rest.CopyConfig(config)
	impersonating.Impersonate = rest.ImpersonationConfig{UserName: user, Groups: []string{"system:serviceaccounts", "system:authenticated"}}
	bearing := rest.AnonymousClientConfig(config)
	bearing.BearerToken = issued.Status.Token
	for how, config := range map[string]*rest.Config{"impersonated": impersonating, "by its token": bearing} {
		if err := mayOnlyRead(ctx, config, namespace, user); err != nil {
			return fmt.Errorf("%s: %w", how, err)
		}
	}
	review := &authenticationv1.TokenReview{Spec: authenticationv1.TokenReviewSpec{Token: issued.Status.Token}}
	reviewed, err := client.AuthenticationV1().TokenReviews().Create(ctx, review, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	return expect(reviewed.Status.Authenticated && reviewed.Status.User.Username == user, "the review says %v", reviewed.Status)
}

func grant(ctx context.Context, client kubernetes.Interface, namespace string) error {
	named := metav1.ObjectMeta{Name: "reader"}
	_, account := client.CoreV1().ServiceAccounts(namespace).Create(ctx, &corev1.ServiceAccount{ObjectMeta: named}, metav1.CreateOptions{})
	rules := []rbacv1.PolicyRule{{APIGroups: []string{""}, Resources: []string{"configmaps"}, Verbs: []string{"get", "list"}}}
	_, role := client.RbacV1().Roles(namespace).Create(ctx, &rbacv1.Role{ObjectMeta: named, Rules: rules}, metav1.CreateOptions{})
	_, binding := client.RbacV1().RoleBindings(namespace).Create(ctx, &rbacv1.RoleBinding{
		ObjectMeta: named,
		RoleRef:    rbacv1.RoleRef{APIGroup: "rbac.authorization.k8s.io", Kind: "Role", Name: "reader"},
		Subjects:   []rbacv1.Subject{{Kind: "ServiceAccount", Name: "reader", Namespace: namespace}},
	}, metav1.CreateOptions{})
	return first(account, role, binding)
}

func mayOnlyRead(ctx context.Context, config *rest.Config, namespace, user string) error {
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	self, err := client.AuthenticationV1().SelfSubjectReviews().Create(ctx, &authenticationv1.SelfSubjectReview{}, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	_, reads := client.CoreV1().ConfigMaps(namespace).List(ctx, metav1.ListOptions{})
	_, writes := client.CoreV1().ConfigMaps(namespace).Create(ctx, configMap("x", nil), metav1.CreateOptions{})
	may := map[string]bool{}
	for _, verb := range []string{"list", "create"} {
		review := &authorizationv1.SelfSubjectAccessReview{Spec: authorizationv1.SelfSubjectAccessReviewSpec{
			ResourceAttributes: &authorizationv1.ResourceAttributes{Namespace: namespace, Verb: verb, Resource: "configmaps"},
		}}
		answer, err := client.AuthorizationV1().SelfSubjectAccessReviews().Create(ctx, review, metav1.CreateOptions{})
		if err != nil {
			return err
		}
		may[verb] = answer.Status.Allowed
	}
	rules, err := client.AuthorizationV1().SelfSubjectRulesReviews().Create(ctx, &authorizationv1.SelfSubjectRulesReview{
		Spec: authorizationv1.SelfSubjectRulesReviewSpec{Namespace: namespace},
	}, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	listed := slices.ContainsFunc(rules.Status.ResourceRules, func(rule authorizationv1.ResourceRule) bool {
		return slices.Contains(rule.Resources, "configmaps") && slices.Contains(rule.Verbs, "list")
	})
	return first(
		reads,
		expect(self.Status.UserInfo.Username == user, "I am %s", self.Status.UserInfo.Username),
		expect(apierrors.IsForbidden(writes), "a write: %v", writes),
		expect(may["list"] && !may["create"] && listed, "the reviews say %v, %v", may, rules.Status),
	)
}
