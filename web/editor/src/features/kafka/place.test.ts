import { expect, test } from "vitest";
import { addressOf, placeOf } from "./place";

test("an address leads back to its place", () => {
  const place = { service: "in/kafka", shown: "topics", topic: "users.v1", tab: "records", group: "" } as const;
  expect(placeOf(addressOf("orders", place).split("?")[1] ?? "")).toEqual(place);
});

test("what is the default or belongs elsewhere is left out", () => {
  expect(addressOf("orders", { shown: "topics", tab: "partitions" })).toBe("flows/orders/kafka");
  expect(addressOf("orders", { shown: "groups", topic: "users", group: "a b" })).toBe("flows/orders/kafka?show=groups&group=a+b");
});

test("nonsense in an address is the default", () => {
  expect(placeOf("show=magic&tab=x")).toMatchObject({ shown: "topics", tab: "partitions" });
});
