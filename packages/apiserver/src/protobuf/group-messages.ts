// Field numbers of the messages of the named API groups on the protobuf wire, as core-messages.ts has them for the core group.

export const admissionregistrationMessages = `
  AuditAnnotation key=1 valueExpression=2
  ExpressionWarning fieldRef=2 warning=3
  MatchCondition name=1 expression=2
  MatchResources namespaceSelector=1? objectSelector=2? resourceRules=3 excludeResourceRules=4 matchPolicy=7?
  NamedRuleWithOperations resourceNames=1 ...RuleWithOperations=2
  ParamKind apiVersion=1 kind=2
  ParamRef name=1 namespace=2 selector=3? parameterNotFoundAction=4?
  Rule apiGroups=1 apiVersions=2 resources=3 scope=4?
  RuleWithOperations operations=1 ...Rule=2
  TypeChecking expressionWarnings=1
  ValidatingAdmissionPolicy metadata=1 spec=2 status=3
  ValidatingAdmissionPolicyBinding metadata=1 spec=2
  ValidatingAdmissionPolicyBindingSpec policyName=1 paramRef=2? matchResources=3? validationActions=4
  ValidatingAdmissionPolicySpec paramKind=1? matchConstraints=2? validations=3 failurePolicy=4? auditAnnotations=5
    matchConditions=6 variables=7
  ValidatingAdmissionPolicyStatus observedGeneration=1 typeChecking=2? conditions=3
  Validation expression=1 message=2 reason=3? messageExpression=4
  Variable name=1 expression=2
`;

export const appsMessages = `
  ControllerRevision metadata=1 data=2 revision=3
  DaemonSet metadata=1 spec=2 status=3
  DaemonSetCondition type=1 status=2 lastTransitionTime=3 reason=4 message=5
  DaemonSetSpec selector=1? template=2 updateStrategy=3 minReadySeconds=4 revisionHistoryLimit=6?
  DaemonSetStatus currentNumberScheduled=1 numberMisscheduled=2 desiredNumberScheduled=3 numberReady=4
    observedGeneration=5 updatedNumberScheduled=6 numberAvailable=7 numberUnavailable=8 collisionCount=9?
    conditions=10
  DaemonSetUpdateStrategy type=1 rollingUpdate=2?
  Deployment metadata=1 spec=2 status=3
  DeploymentCondition type=1 status=2 reason=4 message=5 lastUpdateTime=6 lastTransitionTime=7
  DeploymentSpec replicas=1? selector=2? template=3 strategy=4 minReadySeconds=5 revisionHistoryLimit=6? paused=7
    progressDeadlineSeconds=9?
  DeploymentStatus observedGeneration=1 replicas=2 updatedReplicas=3 availableReplicas=4 unavailableReplicas=5
    conditions=6 readyReplicas=7 collisionCount=8? terminatingReplicas=9?
  DeploymentStrategy type=1 rollingUpdate=2?
  ReplicaSet metadata=1 spec=2 status=3
  ReplicaSetCondition type=1 status=2 lastTransitionTime=3 reason=4 message=5
  ReplicaSetSpec replicas=1? selector=2? template=3 minReadySeconds=4
  ReplicaSetStatus replicas=1 fullyLabeledReplicas=2 observedGeneration=3 readyReplicas=4 availableReplicas=5
    conditions=6 terminatingReplicas=7?
  RollingUpdateDaemonSet maxUnavailable=1? maxSurge=2?
  RollingUpdateDeployment maxUnavailable=1? maxSurge=2?
  RollingUpdateStatefulSetStrategy partition=1? maxUnavailable=2?
  StatefulSet metadata=1 spec=2 status=3
  StatefulSetCondition type=1 status=2 lastTransitionTime=3 reason=4 message=5
  StatefulSetOrdinals start=1
  StatefulSetPersistentVolumeClaimRetentionPolicy whenDeleted=1 whenScaled=2
  StatefulSetSpec replicas=1? selector=2? template=3 volumeClaimTemplates=4 serviceName=5 podManagementPolicy=6
    updateStrategy=7 revisionHistoryLimit=8? minReadySeconds=9 persistentVolumeClaimRetentionPolicy=10? ordinals=11?
  StatefulSetStatus observedGeneration=1 replicas=2 readyReplicas=3 currentReplicas=4 updatedReplicas=5
    currentRevision=6 updateRevision=7 collisionCount=9? conditions=10 availableReplicas=11
  StatefulSetUpdateStrategy type=1 rollingUpdate=2?
`;

export const authenticationMessages = `
  BoundObjectReference kind=1 apiVersion=2 name=3 uid=4
  SelfSubjectReview metadata=1 status=2
  SelfSubjectReviewStatus userInfo=1
  TokenRequest metadata=1 spec=2 status=3
  TokenRequestSpec audiences=1 boundObjectRef=3? expirationSeconds=4?
  TokenRequestStatus token=1 expirationTimestamp=2
  TokenReview metadata=1 spec=2 status=3
  TokenReviewSpec token=1 audiences=2
  TokenReviewStatus authenticated=1 user=2 error=3 audiences=4
  UserInfo username=1 uid=2 groups=3 extra=4
`;

export const authorizationMessages = `
  FieldSelectorAttributes rawSelector=1 requirements=2
  LabelSelectorAttributes rawSelector=1 requirements=2
  LocalSubjectAccessReview metadata=1 spec=2 status=3
  NonResourceAttributes path=1 verb=2
  NonResourceRule verbs=1 nonResourceURLs=2
  ResourceAttributes namespace=1 verb=2 group=3 version=4 resource=5 subresource=6 name=7 fieldSelector=8?
    labelSelector=9?
  ResourceRule verbs=1 apiGroups=2 resources=3 resourceNames=4
  SelfSubjectAccessReview metadata=1 spec=2 status=3
  SelfSubjectAccessReviewSpec resourceAttributes=1? nonResourceAttributes=2?
  SelfSubjectRulesReview metadata=1 spec=2 status=3
  SelfSubjectRulesReviewSpec namespace=1
  SubjectAccessReview metadata=1 spec=2 status=3
  SubjectAccessReviewSpec resourceAttributes=1? nonResourceAttributes=2? user=3 groups=4 extra=5 uid=6
  SubjectAccessReviewStatus allowed=1 reason=2 evaluationError=3 denied=4
  SubjectRulesReviewStatus resourceRules=1 nonResourceRules=2 incomplete=3 evaluationError=4
`;

export const autoscalingMessages = `
  Scale metadata=1 spec=2 status=3
  ScaleSpec replicas=1
  ScaleStatus replicas=1 selector=2
`;

export const autoscalingV2Messages = `
  ContainerResourceMetricSource name=1 target=2 container=3
  CrossVersionObjectReference kind=1 name=2 apiVersion=3
  ExternalMetricSource metric=1 target=2
  HPAScalingPolicy type=1 value=2 periodSeconds=3
  HPAScalingRules selectPolicy=1? policies=2 stabilizationWindowSeconds=3? tolerance=4?
  HorizontalPodAutoscaler metadata=1 spec=2 status=3
  HorizontalPodAutoscalerBehavior scaleUp=1? scaleDown=2?
  HorizontalPodAutoscalerCondition type=1 status=2 lastTransitionTime=3 reason=4 message=5
  HorizontalPodAutoscalerSpec scaleTargetRef=1 minReplicas=2? maxReplicas=3 metrics=4 behavior=5?
  HorizontalPodAutoscalerStatus observedGeneration=1? lastScaleTime=2? currentReplicas=3 desiredReplicas=4
    currentMetrics=5 conditions=6
  MetricIdentifier name=1 selector=2?
  MetricSpec type=1 object=2? pods=3? resource=4? external=5? containerResource=7?
  MetricTarget type=1 value=2? averageValue=3? averageUtilization=4?
  ObjectMetricSource describedObject=1 target=2 metric=3
  PodsMetricSource metric=1 target=2
  ResourceMetricSource name=1 target=2
`;

export const batchMessages = `
  CronJob metadata=1 spec=2 status=3
  CronJobSpec schedule=1 startingDeadlineSeconds=2? concurrencyPolicy=3 suspend=4? jobTemplate=5
    successfulJobsHistoryLimit=6? failedJobsHistoryLimit=7? timeZone=8?
  CronJobStatus active=1 lastScheduleTime=4? lastSuccessfulTime=5?
  Job metadata=1 spec=2 status=3
  JobCondition type=1 status=2 lastProbeTime=3 lastTransitionTime=4 reason=5 message=6
  JobSpec parallelism=1? completions=2? activeDeadlineSeconds=3? selector=4? manualSelector=5? template=6 backoffLimit=7?
    ttlSecondsAfterFinished=8? completionMode=9? suspend=10? podFailurePolicy=11? backoffLimitPerIndex=12?
    maxFailedIndexes=13? podReplacementPolicy=14? managedBy=15? successPolicy=16?
  JobStatus conditions=1 startTime=2? completionTime=3? active=4 succeeded=5 failed=6 completedIndexes=7
    uncountedTerminatedPods=8? ready=9? failedIndexes=10? terminating=11?
  JobTemplateSpec metadata=1 spec=2
  PodFailurePolicy rules=1
  PodFailurePolicyOnExitCodesRequirement containerName=1? operator=2 values=3
  PodFailurePolicyOnPodConditionsPattern type=1 status=2
  PodFailurePolicyRule action=1 onExitCodes=2? onPodConditions=3
  SuccessPolicy rules=1
  SuccessPolicyRule succeededIndexes=1? succeededCount=2?
  UncountedTerminatedPods succeeded=1 failed=2
`;

export const coordinationMessages = `
  Lease metadata=1 spec=2
  LeaseSpec holderIdentity=1? leaseDurationSeconds=2? acquireTime=3? renewTime=4? leaseTransitions=5? strategy=6?
    preferredHolder=7?
`;

export const discoveryMessages = `
  Endpoint addresses=1 conditions=2 hostname=3? targetRef=4? deprecatedTopology=5 nodeName=6? zone=7? hints=8?
  EndpointConditions ready=1? serving=2? terminating=3?
  EndpointHints forZones=1 forNodes=2
  EndpointPort name=1? protocol=2? port=3? appProtocol=4?
  EndpointSlice metadata=1 endpoints=2 ports=3 addressType=4
  ForNode name=1
  ForZone name=1
`;

export const eventsMessages = `
  Event metadata=1 eventTime=2 series=3? reportingController=4 reportingInstance=5 action=6 reason=7 regarding=8
    related=9? note=10 type=11 deprecatedSource=12 deprecatedFirstTimestamp=13 deprecatedLastTimestamp=14
    deprecatedCount=15
  EventSeries count=1 lastObservedTime=2
`;

export const networkingMessages = `
  HTTPIngressPath path=1 backend=2 pathType=3?
  HTTPIngressRuleValue paths=1
  Ingress metadata=1 spec=2 status=3
  IngressBackend resource=3? service=4?
  IngressClass metadata=1 spec=2
  IngressClassParametersReference apiGroup=1? kind=2 name=3 scope=4? namespace=5?
  IngressClassSpec controller=1 parameters=2?
  IngressLoadBalancerIngress ip=1 hostname=2 ports=4
  IngressLoadBalancerStatus ingress=1
  IngressPortStatus port=1 protocol=2 error=3?
  IngressRule host=1 ...IngressRuleValue=2
  IngressRuleValue http=1?
  IngressServiceBackend name=1 port=2
  IngressSpec defaultBackend=1? tls=2 rules=3 ingressClassName=4?
  IngressStatus loadBalancer=1
  IngressTLS hosts=1 secretName=2
  IPBlock cidr=1 except=2
  NetworkPolicy metadata=1 spec=2
  NetworkPolicyEgressRule ports=1 to=2
  NetworkPolicyIngressRule ports=1 from=2
  NetworkPolicyPeer podSelector=1? namespaceSelector=2? ipBlock=3?
  NetworkPolicyPort protocol=1? port=2? endPort=3?
  NetworkPolicySpec podSelector=1 ingress=2 egress=3 policyTypes=4
  ServiceBackendPort name=1 number=2
`;

export const policyMessages = `
  Eviction metadata=1 deleteOptions=2?
  PodDisruptionBudget metadata=1 spec=2 status=3
  PodDisruptionBudgetSpec minAvailable=1? selector=2? maxUnavailable=3? unhealthyPodEvictionPolicy=4?
  PodDisruptionBudgetStatus observedGeneration=1 disruptedPods=2 disruptionsAllowed=3 currentHealthy=4 desiredHealthy=5
    expectedPods=6 conditions=7
`;

export const rbacMessages = `
  AggregationRule clusterRoleSelectors=1
  ClusterRole metadata=1 rules=2 aggregationRule=3?
  ClusterRoleBinding metadata=1 subjects=2 roleRef=3
  PolicyRule verbs=1 apiGroups=2 resources=3 resourceNames=4 nonResourceURLs=5
  Role metadata=1 rules=2
  RoleBinding metadata=1 subjects=2 roleRef=3
  RoleRef apiGroup=1 kind=2 name=3
  Subject kind=1 apiGroup=2 name=3 namespace=4
`;

export const schedulingMessages = `
  PriorityClass metadata=1 value=2 globalDefault=3 description=4 preemptionPolicy=5?
`;

/** Without `dependencies`, which structural schemas may not have. */
export const apiextensionsMessages = `
  CustomResourceColumnDefinition name=1 type=2 format=3 description=4 priority=5 jsonPath=6
  CustomResourceConversion strategy=1 webhook=2?
  CustomResourceDefinition metadata=1 spec=2 status=3
  CustomResourceDefinitionCondition type=1 status=2 lastTransitionTime=3 reason=4 message=5
  CustomResourceDefinitionNames plural=1 singular=2 shortNames=3 kind=4 listKind=5 categories=6
  CustomResourceDefinitionSpec group=1 names=3 scope=4 versions=7 conversion=9? preserveUnknownFields=10
  CustomResourceDefinitionStatus conditions=1 acceptedNames=2 storedVersions=3
  CustomResourceDefinitionVersion name=1 served=2 storage=3 schema=4? subresources=5? additionalPrinterColumns=6
    deprecated=7 deprecationWarning=8? selectableFields=9
  CustomResourceSubresourceScale specReplicasPath=1 statusReplicasPath=2 labelSelectorPath=3?
  CustomResourceSubresources status=1? scale=2?
  CustomResourceValidation openAPIV3Schema=1?
  ExternalDocumentation description=1 url=2
  JSONSchemaProps id=1 $schema=2 $ref=3? description=4 type=5 format=6 title=7 default=8? maximum=9?
    exclusiveMaximum=10 minimum=11? exclusiveMinimum=12 maxLength=13? minLength=14? pattern=15 maxItems=16?
    minItems=17? uniqueItems=18 multipleOf=19? enum=20 maxProperties=21? minProperties=22? required=23 items=24?
    allOf=25 oneOf=26 anyOf=27 not=28? properties=29 additionalProperties=30? patternProperties=31
    additionalItems=33? definitions=34 externalDocs=35? example=36? nullable=37
    x-kubernetes-preserve-unknown-fields=38? x-kubernetes-embedded-resource=39 x-kubernetes-int-or-string=40
    x-kubernetes-list-map-keys=41 x-kubernetes-list-type=42? x-kubernetes-map-type=43? x-kubernetes-validations=44
  SelectableField jsonPath=1
  ServiceReference namespace=1 name=2 path=3? port=4?
  ValidationRule rule=1 message=2 messageExpression=3 reason=4? fieldPath=5 optionalOldSelf=6?
  WebhookClientConfig service=1? caBundle=2 url=3?
  WebhookConversion clientConfig=2? conversionReviewVersions=3
  JSONSchemaPropsOrBool allows=1? schema=2?
  JSONSchemaPropsOrArray schema=1? jSONSchemas=2
`;
