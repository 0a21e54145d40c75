import { App, CfnOutput, Stack } from "aws-cdk-lib";
import { Architecture } from "aws-cdk-lib/aws-lambda";
import { BeamFunction } from "./beam-function";

// `make deploy-cdk` builds the archives and deploys this.
const archives = process.env.ARCHIVES ?? "../../build/deploy";
const app = new App({ outdir: process.env.CDK_OUTDIR ?? "build/cdk.out" });
const stack = new Stack(app, "HelloElixir");
const hello = new BeamFunction(stack, "Hello", {
  handler: "HelloElixir.handle",
  layerZip: `${archives}/layer.zip`,
  functionZip: `${archives}/function.zip`,
  architecture: process.env.ARCHITECTURE === "arm64" ? Architecture.ARM_64 : Architecture.X86_64,
});
new CfnOutput(stack, "Url", { value: hello.url.url });
app.synth();
