/**
 * A refusal in the vendor's words: its code, message and HTTP status. It is an answer of the emulated service, not an
 * error of this tool, so it stands outside the catalogue of src/errors.ts.
 * Codes: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
 */
export class Rejection extends Error {
  readonly code: string;
  readonly status: number;

  constructor(code: string, message: string, status = 400) {
    super(message);
    this.name = 'Rejection';
    this.code = code;
    this.status = status;
  }
}

export function invalidValue(message: string): Rejection {
  return new Rejection('InvalidParameterValue', message);
}
