const browsers: readonly [RegExp, string][] = [[/Edg\//, "Edge"], [/OPR\//, "Opera"], [/Firefox\//, "Firefox"], [/(Headless)?Chrom(e|ium)\//, "Chrome"], [/Safari\//, "Safari"], [/^curl\//, "curl"], [/^Go-http-client\//, "a program"]];
const systems: readonly [RegExp, string][] = [[/Windows NT/, "Windows"], [/iPhone|iPad/, "iOS"], [/Android/, "Android"], [/Mac OS X/, "macOS"], [/CrOS/, "ChromeOS"], [/Linux|X11/, "Linux"]];

/** What a browser's name for itself means to people; the name itself when it is none that is known. */
export function browserOf(agent: string): string {
  const find = (list: readonly [RegExp, string][]) => list.find(([is]) => is.test(agent))?.[1];
  const browser = find(browsers);
  if (browser === undefined) return agent.slice(0, 60) || "Unknown";
  const system = find(systems);
  return system === undefined ? browser : `${browser} on ${system}`;
}
