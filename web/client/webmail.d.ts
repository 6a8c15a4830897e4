/** The webmail of an email address. Undefined for unknown domains and for phone numbers. */
export declare function webmail(identifier: string): { readonly name: string; readonly url: string } | undefined;
