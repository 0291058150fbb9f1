import { Button, Checkbox, Field, Input, MessageBar, MessageBarBody, Radio, RadioGroup, Select, Textarea, makeStyles, tokens } from "@fluentui/react-components";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { explain } from "../api/client";
import { createException, deviceGroups, exceptions, weaknessSoftware } from "../api/queries";
import type { ExceptionDetail, NewException } from "../api/schema";
import { dayAfter, exceptionStatus, justification, justifications, sameSubject, scoreEffect, type Justification } from "../lib/exception";
import { date, number, plural } from "../lib/format";
import { chosenOf, selected } from "../lib/groups";
import { Anchor } from "./Anchor";
import { DeviceChoice, type Picked } from "./DeviceChoice";
import { GroupChoice } from "./GroupChoice";
import { useMay } from "./useMay";

/** What an exception is to be about. */
export type About = Pick<NewException, "recommendation" | "weakness" | "product" | "version_from" | "version_to" | "path">;

const useStyles = makeStyles({
  form: { display: "flex", flexDirection: "column", gap: "20px", maxWidth: "560px", "& a": { textDecorationLine: "underline" } },
  means: { display: "block", color: tokens.colorNeutralForeground3, fontSize: tokens.fontSizeBase200 },
  pair: { display: "grid", gridTemplateColumns: "1fr 1fr", gap: "12px" },
  effect: { margin: 0, padding: "10px 12px", borderRadius: tokens.borderRadiusMedium, backgroundColor: tokens.colorNeutralBackground3 },
  foot: { display: "flex", gap: "8px" },
});

const lengths = [["30", "30 days"], ["60", "60 days"], ["90", "90 days"], ["date", "Until a date"]] as const;
type Where = "Global" | "All" | "DeviceGroups" | "Devices";

// How much of the software that a weakness is in is offered.
const mostProducts = "100";

/** The form that makes an exception. versions: of a product, a range may be given. An exception for a weakness may be narrowed to software, versions and a path. device: the one that it is asked for. */
export function ExceptionForm({ about, versions, device, onDone }: { about: About; versions?: boolean; device?: Picked; onDone: () => void }) {
  const s = useStyles();
  const client = useQueryClient();
  const groups = useQuery(deviceGroups);
  const global = useMay("administrator");
  const [chosenWhere, setWhere] = useState<Where>();
  const where = chosenWhere ?? (device ? "Devices" : global.may ? "Global" : "All");
  const [chosen, setChosen] = useState<readonly number[]>([]);
  const [picked, setPicked] = useState<readonly Picked[]>(device ? [device] : []);
  const [why, setWhy] = useState<Justification>("RiskAccepted");
  const [context, setContext] = useState("");
  const [length, setLength] = useState("30");
  const [until, setUntil] = useState(dayAfter(30));
  const [keep, setKeep] = useState(false);
  const [range, setRange] = useState({ from: "", to: "", path: "" });
  const [within, setWithin] = useState(""); // a product of the weakness
  const narrow = about.weakness !== undefined && about.weakness !== "";
  const products = useQuery({ ...weaknessSoftware(about.weakness ?? "", { size: mostProducts }), enabled: narrow });
  const [made, setMade] = useState<ExceptionDetail>();
  const key: Record<string, string> = about.recommendation ? { recommendation: about.recommendation } : about.weakness ? { weakness: about.weakness } : { product: about.product ?? "" };
  const held = useQuery(exceptions({ ...key, status: "InEffect,Suspended", size: "100" }));
  // Groups of the page's selection; those where the same holds already cannot be chosen.
  const all = groups.data ?? [];
  const looked = chosenOf(selected(window.location.search), all.map((g) => g.id));
  const offered = all.filter((g) => looked.has(g.id));
  const want = { ...about, product: within || about.product, version_from: range.from || about.version_from, version_to: range.to || about.version_to, path: range.path || about.path };
  const taken = new Map((held.data?.items ?? []).filter((e) => sameSubject(e, want)).flatMap((e) => e.group_ids.map((id) => [id, e.expires_at ? `Has an exception until ${date(e.expires_at)}` : "Has an exception from a document"] as const)));
  const free = offered.filter((g) => !taken.has(g.id));
  const go = useMutation({
    mutationFn: () => {
      const body: NewException = { ...about, justification: why, context: context.trim(), keep, scope: where === "All" ? "DeviceGroups" : where };
      if (where === "All") body.groups = free.map((g) => g.id);
      if (where === "DeviceGroups") body.groups = [...chosen];
      if (where === "Devices") body.devices = picked.map((d) => d.id);
      if (length === "date") body.until = `${until}T23:59:59Z`;
      else body.days = Number(length);
      if (within) body.product = within;
      if (range.from) body.version_from = range.from.trim();
      if (range.to) body.version_to = range.to.trim();
      if (range.path) body.path = range.path.trim();
      return createException(body);
    },
    onSuccess: (r) => {
      setMade(r);
      return client.invalidateQueries();
    },
  });
  if (made) {
    return (
      <div className={s.form} role="status">
        <p className={s.effect}>
          <strong>The exception is in place.</strong> {exceptionStatus(made.status).means} It is about {plural(made.exposed, "exposed device")}
          {made.expires_at && ` and ends on ${made.expires_at.slice(0, 10)}`}.
        </p>
        <div className={s.foot}>
          <Button appearance="primary" onClick={onDone}>Back to the details</Button>
          <Anchor to="/remediation/exceptions" search={{ open: made.id }}>Show the exception</Anchor>
        </div>
      </div>
    );
  }
  const ready = (where !== "All" || free.length > 0) && (where !== "DeviceGroups" || chosen.length > 0) && (where !== "Devices" || picked.length > 0);
  return (
    <form className={s.form} aria-label="Exception options" onSubmit={(e) => { e.preventDefault(); if (ready) go.mutate(); }}>
      {(held.data?.total ?? 0) > 0 && (
        <MessageBar intent="info">
          <MessageBarBody>
            {`${plural(held.data?.total ?? 0, "exception")} for this ${held.data?.total === 1 ? "is" : "are"} open. `}
            <Anchor to="/remediation/exceptions" search={{ q: held.data?.items[0]?.name ?? "", status: "InEffect,Suspended" }}>Show them</Anchor>
          </MessageBarBody>
        </MessageBar>
      )}
      <Field label="Where it holds">
        <RadioGroup value={where} onChange={(_, d) => setWhere(d.value as Where)}>
          <Radio value="Global" disabled={!global.may} label={<>Everywhere<span className={s.means}>{global.why || "All device groups, those of the future too. Suspends exceptions for single groups."}</span></>} />
          <Radio value="All" label={<>All {looked.size < all.length ? "selected" : "current"} device groups<span className={s.means}>{groups.data ? plural(free.length, "group") : "…"}{free.length < offered.length && `, ${number(offered.length - free.length)} more ${offered.length - free.length === 1 ? "has" : "have"} one already`}; groups that are made later are not in it.</span></>} />
          <Radio value="DeviceGroups" label="Some device groups" />
          <Radio value="Devices" label="Some devices" />
        </RadioGroup>
      </Field>
      {where === "DeviceGroups" && <GroupChoice groups={offered} held={taken} chosen={chosen} onChoose={setChosen} />}
      {where === "Devices" && <DeviceChoice chosen={picked} onChoose={setPicked} />}
      {narrow && (
        <Field label="In which software">
          <Select value={within} onChange={(_, d) => { setWithin(d.value); if (d.value === "") setRange({ ...range, from: "", to: "" }); }}>
            <option value="">Any software that has it</option>
            {(products.data?.items ?? []).map((p) => <option key={p.id} value={p.id}>{p.name}</option>)}
          </Select>
        </Field>
      )}
      {(versions === true || within !== "") && (
        <div className={s.pair}>
          <Field label="From version" hint="Included; empty: any"><Input value={range.from} maxLength={200} onChange={(_, d) => setRange({ ...range, from: d.value })} /></Field>
          <Field label="To version" hint="Included; empty: any"><Input value={range.to} maxLength={200} onChange={(_, d) => setRange({ ...range, to: d.value })} /></Field>
        </div>
      )}
      {(versions === true || narrow) && <Field label="Path" hint="Only where it was found there alone: /opt/legacy/** for all below. Empty: anywhere"><Input value={range.path} maxLength={500} onChange={(_, d) => setRange({ ...range, path: d.value })} /></Field>}
      <Field label="Justification">
        <RadioGroup value={why} onChange={(_, d) => setWhy(d.value as Justification)}>
          {justifications.map((j) => <Radio key={j} value={j} label={<>{justification(j).word}<span className={s.means}>{justification(j).means}</span></>} />)}
        </RadioGroup>
      </Field>
      <p className={s.effect} role="status">{scoreEffect(why)}</p>
      <Field label="Context" hint="Why, for whoever asks later"><Textarea value={context} maxLength={2000} rows={3} onChange={(_, d) => setContext(d.value)} /></Field>
      <Field label="For how long">
        <RadioGroup layout="horizontal" value={length} onChange={(_, d) => setLength(d.value)}>
          {lengths.map(([v, t]) => <Radio key={v} value={v} label={t} />)}
        </RadioGroup>
      </Field>
      {length === "date" && <Field label="Last day"><Input type="date" value={until} min={dayAfter(1)} max={dayAfter(364)} onChange={(_, d) => setUntil(d.value)} /></Field>}
      <Checkbox checked={keep} onChange={(_, d) => setKeep(d.checked === true)} label="Keep it even if this gets worse" />
      {go.error && <MessageBar intent="error"><MessageBarBody>{explain(go.error)}</MessageBarBody></MessageBar>}
      <div className={s.foot}>
        <Button appearance="primary" type="submit" disabled={!ready || go.isPending}>Make the exception</Button>
        <Button onClick={onDone}>Close the form</Button>
      </div>
    </form>
  );
}
