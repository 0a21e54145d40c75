import { Duration } from "aws-cdk-lib";
import * as lambda from "aws-cdk-lib/aws-lambda";
import * as logs from "aws-cdk-lib/aws-logs";
import { Construct } from "constructs";

export interface BeamFunctionProps {
  /** The handler, as `beamport invoke --handler` takes it. */
  readonly handler: string;
  /** What `beamport layer` wrote. */
  readonly layerZip: string;
  /** What `beamport package` wrote. */
  readonly functionZip: string;
  /** That of both archives; x86_64 unless given. */
  readonly architecture?: lambda.Architecture;
  /** In MB; 512 unless given. */
  readonly memorySize?: number;
  /** Whether the URL streams responses. */
  readonly stream?: boolean;
  readonly environment?: Record<string, string>;
}

/** A function on the BEAM with its layer, its logs, and a URL that asks for AWS's signatures. */
export class BeamFunction extends Construct {
  readonly function: lambda.Function;
  readonly url: lambda.FunctionUrl;

  constructor(scope: Construct, id: string, props: BeamFunctionProps) {
    super(scope, id);
    const architecture = props.architecture ?? lambda.Architecture.X86_64;
    const beam = new lambda.LayerVersion(this, "Beam", {
      description: "Erlang, Elixir and the runtime (beamport layer)",
      code: lambda.Code.fromAsset(props.layerZip),
      compatibleRuntimes: [lambda.Runtime.PROVIDED_AL2023],
      compatibleArchitectures: [architecture],
    });
    this.function = new lambda.Function(this, "Function", {
      runtime: lambda.Runtime.PROVIDED_AL2023,
      architecture,
      handler: props.handler,
      code: lambda.Code.fromAsset(props.functionZip),
      layers: [beam],
      memorySize: props.memorySize ?? 512,
      timeout: Duration.seconds(10),
      loggingFormat: lambda.LoggingFormat.JSON,
      logGroup: new logs.LogGroup(this, "Logs", { retention: logs.RetentionDays.TWO_WEEKS }),
      environment: {
        BEAMPORT_RESPONSE_MODE: props.stream ? "streaming" : "buffered",
        ...props.environment,
      },
    });
    this.url = this.function.addFunctionUrl({
      authType: lambda.FunctionUrlAuthType.AWS_IAM,
      invokeMode: props.stream ? lambda.InvokeMode.RESPONSE_STREAM : lambda.InvokeMode.BUFFERED,
    });
  }
}
