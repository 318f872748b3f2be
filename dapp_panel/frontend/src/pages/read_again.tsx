// Read the sealed original again in another way; the answer is a new version.
import { useState } from "preact/hooks";
import { type Failure, call } from "../channel";
import { invalidate } from "../query";
import type { DatasetRead } from "../schema";
import { Button } from "../parts/button";
import { Dialog } from "../parts/dialog";
import { Input, Select } from "../parts/field";
import { Notice } from "../parts/surface";
import { toast } from "../parts/toasts";

export function ReadAgain({ dataset, onClose }: { dataset: DatasetRead; onClose: () => void }) {
  const report = dataset.report;
  const [delimiter, setDelimiter] = useState("");
  const [decimal, setDecimal] = useState("");
  const [dates, setDates] = useState("");
  const [header, setHeader] = useState("");
  const [sheet, setSheet] = useState("");
  const [encoding, setEncoding] = useState("");
  const [trouble, setTrouble] = useState("");
  const text = !report || ["csv", "tsv"].includes(report.format) || report.delimiter !== null;
  const start = () => {
    const options = {
      delimiter: delimiter || null,
      decimal: decimal || null,
      date_order: dates || null,
      header: header === "" ? null : header === "yes",
      sheet: sheet || null,
      encoding: encoding.trim() || null,
    };
    const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== null));
    return call<DatasetRead>("datasets.reread", { ref: dataset.id, ...given }).then(
      () => {
        invalidate((_, params) => params.ref === dataset.id);
        toast({ title: "It is read again; a new version comes" });
        onClose();
      },
      (error: Failure) => setTrouble(error.message),
    );
  };
  return (
    <Dialog
      title="Read the file again"
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button tone="main" onClick={start}>
            Read
          </Button>
        </>
      }
    >
      <div class="stack">
        <p class="muted">What is left as it is, is found out again. The present version stays.</p>
        {text && (
          <Select
            label="Between cells"
            value={delimiter}
            choices={[
              ["", `As found${report?.delimiter ? ` (${report.delimiter === "\t" ? "tab" : report.delimiter})` : ""}`],
              [",", "Comma"],
              [";", "Semicolon"],
              ["\t", "Tab"],
              ["|", "Bar"],
            ]}
            onChange={setDelimiter}
          />
        )}
        <Select
          label="Decimals after"
          value={decimal}
          choices={[
            ["", "As found"],
            [".", "a point: 1.5"],
            [",", "a comma: 1,5"],
          ]}
          onChange={setDecimal}
        />
        <Select
          label="01/02/2024 is"
          value={dates}
          choices={[
            ["", "As found"],
            ["day_first", "the first of February"],
            ["month_first", "the second of January"],
          ]}
          onChange={setDates}
        />
        <Select
          label="The first line"
          value={header}
          choices={[
            ["", "As found"],
            ["yes", "names the columns"],
            ["no", "is data already"],
          ]}
          onChange={setHeader}
        />
        {report && report.sheets.length > 1 && (
          <Select
            label="Sheet"
            value={sheet}
            choices={[["", "As found"], ...report.sheets.map((each): [string, string] => [each, each])]}
            onChange={setSheet}
          />
        )}
        {text && <Input label="Encoding" value={encoding} onInput={setEncoding} placeholder={report?.encoding ?? "utf-8"} />}
        {trouble && <Notice tone="bad">{trouble}</Notice>}
      </div>
    </Dialog>
  );
}
