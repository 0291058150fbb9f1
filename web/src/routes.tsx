import { createRootRoute, createRoute, createRouter, lazyRouteComponent, redirect, retainSearchParams } from "@tanstack/react-router";
import { ErrorPage, NotFound } from "./app/ErrorPage";
import { Shell } from "./app/Shell";
import { parse, stringify, type RawSearch } from "./lib/search";

// Every page of the console. Pages are loaded when they are first visited; each
// reads its own part of the search (lib/search.ts).
const root = createRootRoute({ validateSearch: (s: Record<string, unknown>) => s as RawSearch });
// The selected device groups go along to every page.
const shell = createRoute({ getParentRoute: () => root, id: "shell", component: Shell, search: { middlewares: [retainSearchParams<RawSearch>(["group"])] } });

const page = (path: string, component: ReturnType<typeof lazyRouteComponent>) => createRoute({ getParentRoute: () => shell, path, component });
const device = (path: string, tab: ReturnType<typeof lazyRouteComponent>) => createRoute({ getParentRoute: () => deviceFrame, path, component: tab });
const deviceFrame = createRoute({ getParentRoute: () => shell, path: "/devices/$id", component: lazyRouteComponent(() => import("./pages/device/DevicePage"), "DevicePage") });

const product = (path: string, tab: ReturnType<typeof lazyRouteComponent>) => createRoute({ getParentRoute: () => productFrame, path, component: tab });
const productFrame = createRoute({ getParentRoute: () => shell, path: "/software/$id", component: lazyRouteComponent(() => import("./pages/software/ProductPage"), "ProductPage") });

const weaknessLink = createRoute({
  getParentRoute: () => shell,
  path: "/weaknesses/$id",
  beforeLoad: ({ params }: { params: { id: string } }) => {
    throw redirect({ to: "/weaknesses", search: { open: params.id, q: params.id, exposed: "any" }, replace: true });
  },
});

const tree = root.addChildren([
  createRoute({ getParentRoute: () => root, path: "/login", component: lazyRouteComponent(() => import("./pages/login/LoginPage"), "LoginPage") }),
  createRoute({ getParentRoute: () => root, path: "/welcome", component: lazyRouteComponent(() => import("./pages/login/WelcomePage"), "WelcomePage") }),
  createRoute({ getParentRoute: () => root, path: "/consent", component: lazyRouteComponent(() => import("./pages/login/ConsentPage"), "ConsentPage") }),
  createRoute({ getParentRoute: () => root, path: "/device", component: lazyRouteComponent(() => import("./pages/login/DeviceCodePage"), "DeviceCodePage") }),
  shell.addChildren([
    createRoute({
      getParentRoute: () => shell,
      path: "/",
      beforeLoad: () => {
        throw redirect({ to: "/devices", replace: true });
      },
    }),
    page("/dashboard", lazyRouteComponent(() => import("./pages/dashboard/DashboardPage"), "DashboardPage")),
    page("/scores", lazyRouteComponent(() => import("./pages/scores/ScoresPage"), "ScoresPage")),
    page("/recommendations", lazyRouteComponent(() => import("./pages/recommendations/RecommendationsPage"), "RecommendationsPage")),
    page("/recommendations/plan", lazyRouteComponent(() => import("./pages/plan/PlanPage"), "PlanPage")),
    page("/recommendations/plans", lazyRouteComponent(() => import("./pages/plan/PlansPage"), "PlansPage")),
    createRoute({
      getParentRoute: () => shell,
      path: "/remediation/exceptions",
      beforeLoad: ({ search }) => {
        throw redirect({ to: "/remediation", search: { ...search, tab: "exceptions" }, replace: true });
      },
    }),
    createRoute({
      getParentRoute: () => shell,
      path: "/remediation/vex",
      beforeLoad: ({ search }) => {
        throw redirect({ to: "/remediation", search: { ...search, tab: "vex" }, replace: true });
      },
    }),
    page("/alerts", lazyRouteComponent(() => import("./pages/alerts/AlertsPage"), "AlertsPage")),
    page("/devices", lazyRouteComponent(() => import("./pages/devices/DevicesPage"), "DevicesPage")),
    deviceFrame.addChildren([
      device("/", lazyRouteComponent(() => import("./pages/device/Overview"), "Overview")),
      device("/alerts", lazyRouteComponent(() => import("./pages/alerts/AlertsTab"), "AlertsTab")),
      device("/timeline", lazyRouteComponent(() => import("./pages/timeline/TimelineTab"), "TimelineTab")),
      device("/recommendations", lazyRouteComponent(() => import("./pages/device/RecommendationsTab"), "RecommendationsTab")),
      device("/configuration", lazyRouteComponent(() => import("./pages/device/ConfigurationTab"), "ConfigurationTab")),
      device("/software", lazyRouteComponent(() => import("./pages/device/SoftwareTab"), "SoftwareTab")),
      device("/vulnerabilities", lazyRouteComponent(() => import("./pages/device/VulnsTab"), "VulnsTab")),
      device("/updates", lazyRouteComponent(() => import("./pages/device/UpdatesTab"), "UpdatesTab")),
    ]),
    page("/software", lazyRouteComponent(() => import("./pages/software/SoftwarePage"), "SoftwarePage")),
    productFrame.addChildren([
      product("/", lazyRouteComponent(() => import("./pages/software/ProductOverview"), "ProductOverview")),
      product("/recommendations", lazyRouteComponent(() => import("./pages/software/ProductRecommendations"), "ProductRecommendations")),
      product("/vulnerabilities", lazyRouteComponent(() => import("./pages/software/ProductVulns"), "ProductVulns")),
      product("/updates", lazyRouteComponent(() => import("./pages/software/ProductUpdates"), "ProductUpdates")),
      product("/misconfigurations", lazyRouteComponent(() => import("./pages/software/ProductMisconfigurations"), "ProductMisconfigurations")),
      product("/devices", lazyRouteComponent(() => import("./pages/software/ProductDevices"), "ProductDevices")),
      product("/versions", lazyRouteComponent(() => import("./pages/software/ProductVersions"), "ProductVersions")),
      product("/events", lazyRouteComponent(() => import("./pages/events/ProductEvents"), "ProductEvents")),
    ]),
    weaknessLink,
    page("/weaknesses", lazyRouteComponent(() => import("./pages/weaknesses/WeaknessesPage"), "WeaknessesPage")),
    page("/actions", lazyRouteComponent(() => import("./pages/actions/ActionsPage"), "ActionsPage")),
    page("/investigations/$id", lazyRouteComponent(() => import("./pages/investigation/InvestigationPage"), "InvestigationPage")),
    page("/approvals", lazyRouteComponent(() => import("./pages/approvals/ApprovalsPage"), "ApprovalsPage")),
    page("/settings/approvals", lazyRouteComponent(() => import("./pages/settings/ApprovalRulesPage"), "ApprovalRulesPage")),
    page("/events", lazyRouteComponent(() => import("./pages/events/EventsPage"), "EventsPage")),
    page("/hunting", lazyRouteComponent(() => import("./pages/hunting/HuntingPage"), "HuntingPage")),
    page("/entities/$kind/$id", lazyRouteComponent(() => import("./pages/entity/EntityPage"), "EntityPage")),
    page("/settings/device-groups", lazyRouteComponent(() => import("./pages/settings/DeviceGroupsPage"), "DeviceGroupsPage")),
    page("/settings/permissions", lazyRouteComponent(() => import("./pages/settings/PermissionsPage"), "PermissionsPage")),
    page("/settings/tag-rules", lazyRouteComponent(() => import("./pages/settings/TagRulesPage"), "TagRulesPage")),
    page("/settings/intelligence", lazyRouteComponent(() => import("./pages/settings/IntelPage"), "IntelPage")),
    page("/settings/retention", lazyRouteComponent(() => import("./pages/settings/RetentionPage"), "RetentionPage")),
    page("/settings/onboarding", lazyRouteComponent(() => import("./pages/settings/OnboardingPage"), "OnboardingPage")),
    page("/settings/device-weights", lazyRouteComponent(() => import("./pages/settings/DeviceWeightsPage"), "DeviceWeightsPage")),
    page("/settings/forwarding", lazyRouteComponent(() => import("./pages/settings/ForwardingPage"), "ForwardingPage")),
    page("/settings/applications", lazyRouteComponent(() => import("./pages/settings/ApplicationsPage"), "ApplicationsPage")),
    page("/settings/audit", lazyRouteComponent(() => import("./pages/settings/AuditPage"), "AuditPage")),
    page("/settings/indicators", lazyRouteComponent(() => import("./pages/settings/IndicatorsPage"), "IndicatorsPage")),
    page("/settings/inaccuracies", lazyRouteComponent(() => import("./pages/settings/InaccuraciesPage"), "InaccuraciesPage")),
    createRoute({ getParentRoute: () => shell, path: "$", component: () => <NotFound /> }),
    page("/remediation", lazyRouteComponent(() => import("./pages/remediation/RemediationPage"), "RemediationPage")),
    page("/settings/ticketing", lazyRouteComponent(() => import("./pages/settings/TicketingPage"), "TicketingPage")),
    page("/settings/sign-in", lazyRouteComponent(() => import("./pages/settings/SignInPage"), "SignInPage")),
    page("/settings/account", lazyRouteComponent(() => import("./pages/settings/AccountPage"), "AccountPage")),
  ]),
]);

export const router = createRouter({
  routeTree: tree,
  parseSearch: parse,
  stringifySearch: stringify,
  defaultErrorComponent: ({ error, reset }) => <ErrorPage error={error} retry={reset} />,
  defaultNotFoundComponent: () => <NotFound />,
  defaultPendingMs: 300,
  scrollRestoration: false,
});
