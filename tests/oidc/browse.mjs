// A browser without windows: follows redirects, keeps cookies, and prints the address at which it was to stop.
let [address, stop] = process.argv.slice(2);
const cookies = new Map();
for (let hop = 0; hop < 20 && !address.startsWith(stop); hop++) {
  const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join("; ");
  const response = await fetch(address, { redirect: "manual", headers: { cookie } });
  for (const line of response.headers.getSetCookie()) {
    const [name, ...value] = line.split(";")[0].split("=");
    cookies.set(name, value.join("="));
  }
  const location = response.headers.get("location");
  if (!location) throw new Error(`${response.status} at ${new URL(address).pathname}: ${await response.text()}`);
  address = new URL(location, address).href;
}
process.stdout.write(address);
